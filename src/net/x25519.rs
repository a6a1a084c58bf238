//! X25519 (RFC 7748 §5) for one purpose: the public key of a WireGuard private key that is made or read here.
//!
//! The kernel does the cryptography of the tunnels; the libraries for this curve would be a tenth of the program. The
//! ladder takes the same steps and touches the same memory whatever the key is.

/// A number modulo 2²⁵⁵ - 19: sixteen digits of 16 bits, which may overflow between reductions.
type Field = [i64; 16];

const ONE: Field = [1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
/// The base point's u-coordinate.
const NINE: Field = [9, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
/// (A - 2) / 4 with A = 486662.
const A24: Field = [0xdb41, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];

/// The scalar multiplication of the base point by `private`, clamped.
pub(super) fn public(private: &[u8; 32]) -> [u8; 32] {
    let mut scalar = *private;
    let [first, .., last] = &mut scalar;
    *first &= 248;
    *last = *last & 127 | 64;
    let (mut x2, mut z2, mut x3, mut z3) = (ONE, [0; 16], NINE, ONE);
    for bit in scalar.iter().rev().flat_map(|byte| (0..8).rev().map(move |bit| i64::from(byte >> bit & 1))) {
        swap(bit, &mut x2, &mut x3);
        swap(bit, &mut z2, &mut z3);
        let (a, b) = (add(&x2, &z2), subtract(&x2, &z2));
        let (aa, bb) = (multiply(&a, &a), multiply(&b, &b));
        let e = subtract(&aa, &bb);
        let (da, cb) = (multiply(&subtract(&x3, &z3), &a), multiply(&add(&x3, &z3), &b));
        let (sum, difference) = (add(&da, &cb), subtract(&da, &cb));
        x3 = multiply(&sum, &sum);
        z3 = multiply(&NINE, &multiply(&difference, &difference));
        x2 = multiply(&aa, &bb);
        // RFC 7748 writes AA + a24 × E with a24 = (A - 2) / 4
        z2 = multiply(&e, &add(&aa, &multiply(&A24, &e)));
        swap(bit, &mut x2, &mut x3);
        swap(bit, &mut z2, &mut z3);
    }
    bytes(multiply(&x2, &inverse(&z2)))
}

/// Exchanges `a` and `b` if `bit` is 1.
fn swap(bit: i64, a: &mut Field, b: &mut Field) {
    for (a, b) in a.iter_mut().zip(b) {
        let change = -bit & (*a ^ *b);
        *a ^= change;
        *b ^= change;
    }
}

fn add(a: &Field, b: &Field) -> Field {
    let mut sum = *a;
    sum.iter_mut().zip(b).for_each(|(sum, b)| *sum += b);
    sum
}

fn subtract(a: &Field, b: &Field) -> Field {
    let mut difference = *a;
    difference.iter_mut().zip(b).for_each(|(difference, b)| *difference -= b);
    difference
}

fn multiply(a: &Field, b: &Field) -> Field {
    let mut wide = [0i64; 32];
    for (at, a) in a.iter().enumerate() {
        wide.iter_mut().skip(at).zip(b).for_each(|(digit, b)| *digit += a * b);
    }
    // 2²⁵⁶ is 38
    let (low, high) = wide.split_at(16);
    let mut product = [0; 16];
    product.iter_mut().zip(low.iter().zip(high)).for_each(|(digit, (low, high))| *digit = low + 38 * high);
    carry(&mut product);
    carry(&mut product);
    product
}

/// Brings the digits back to about 16 bits.
fn carry(field: &mut Field) {
    let mut over = 0;
    for digit in field.iter_mut() {
        *digit += over;
        over = *digit >> 16;
        *digit -= over << 16;
    }
    let [first, ..] = field;
    *first += 38 * over;
}

/// By Fermat: the power of p - 2.
fn inverse(field: &Field) -> Field {
    let mut power = *field;
    for bit in (0..254).rev() {
        power = multiply(&power, &power);
        if bit != 2 && bit != 4 {
            power = multiply(&power, field);
        }
    }
    power
}

/// In the one way it can be written: below p, little end first.
fn bytes(mut field: Field) -> [u8; 32] {
    (0..3).for_each(|_| carry(&mut field));
    for _ in 0..2 {
        let mut reduced = field;
        let mut borrow = 0;
        for (at, digit) in reduced.iter_mut().enumerate() {
            *digit -=
                borrow + [0xffed, 0xffff, 0x7fff].get((at != 0) as usize + (at == 15) as usize).copied().unwrap_or(0);
            borrow = *digit >> 16 & 1;
            *digit &= 0xffff;
        }
        // it was below p already if it had to borrow at the end
        swap(1 - borrow, &mut field, &mut reduced);
    }
    let mut bytes = [0; 32];
    for (pair, digit) in bytes.chunks_mut(2).zip(field) {
        pair.copy_from_slice(&(digit as u16).to_le_bytes());
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::public;

    fn hex(text: &str) -> [u8; 32] {
        let bytes: Vec<u8> = (0..32).map(|at| u8::from_str_radix(&text[2 * at..2 * at + 2], 16).unwrap()).collect();
        bytes.try_into().unwrap()
    }

    #[test]
    fn public_keys_are_those_of_rfc_7748() {
        // RFC 7748 §6.1
        let table = [
            (
                "77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a",
                "8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a",
            ),
            (
                "5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb",
                "de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f",
            ),
        ];
        for (private, expected) in table {
            assert_eq!(public(&hex(private)), hex(expected), "{private}");
        }
    }

    #[test]
    fn repeated_multiplication_reaches_what_rfc_7748_says() {
        // RFC 7748 §5.2, the first step: the scalar 9 times the point 9
        let mut nine = [0; 32];
        nine[0] = 9;
        assert_eq!(public(&nine), hex("422c8e7a6227d7bca1350b3e2bb7279f7897b87bb6854b783c60e80311ae3079"));
    }
}
