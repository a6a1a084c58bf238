//! Files with the private key of a WireGuard device: made once, read ever after.

use super::disk::{failed, make_folder, write_new};
use crate::net::Key32;
use std::fs;
use std::io::{ErrorKind, Read};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

/// More than a key and whatever blank space stands around it.
const MAX_FILE: u64 = 256;

/// Reads the private key in `path`, or makes the file from `random` (secret, and different each time), for nobody else
/// to read, so that either all of it is there or nothing. A file that holds something else is never written over.
///
/// Errors say which file and what to do, and never what the file holds.
pub fn private_key(path: &Path, random: [u8; 32]) -> Result<Key32, String> {
    match read(path)? {
        Some(key) => {
            // it may be the owner's, made with the rights of any file; where that can't be mended, it works all the same
            let _ = fs::set_permissions(path, fs::Permissions::from_mode(0o600));
            Ok(key)
        }
        None => {
            let key = Key32::from_random(random);
            make(path, &key).map_err(|error| failed("write", path, "private_key_file", &error))?;
            Ok(key)
        }
    }
}

/// Reads the private key in `path`; `None` if there is no such file. For one who only looks.
pub fn read(path: &Path) -> Result<Option<Key32>, String> {
    let mut text = String::new();
    let read = fs::File::open(path).and_then(|file| file.take(MAX_FILE).read_to_string(&mut text));
    match read {
        Ok(_) => text.trim().parse().map(Some).map_err(|_| {
            format!("{} holds no key; put one there as `wg genkey` prints it, or remove the file", path.display())
        }),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(failed("read", path, "private_key_file", &error)),
    }
}

fn make(path: &Path, key: &Key32) -> std::io::Result<()> {
    let folder = path.parent().ok_or(ErrorKind::IsADirectory)?;
    make_folder(folder, true)?;
    let beside = path.with_extension("key.new");
    write_new(&beside, format!("{}\n", key.secret_text()).as_bytes(), true)?;
    fs::rename(&beside, path)?;
    fs::File::open(folder)?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::disk::tests::Folder;
    use std::os::unix::fs::symlink;

    #[test]
    fn a_key_is_made_once_for_nobody_else_to_read_and_read_ever_after() {
        let folder = Folder::new("key");
        let path = folder.0.join("deep/wireguard-home.key");
        assert_eq!(read(&path), Ok(None));
        let key = private_key(&path, [7; 32]).unwrap();
        assert_eq!(key, Key32::from_random([7; 32]));
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::read_to_string(&path).unwrap(), format!("{}\n", key.secret_text()));
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        assert_eq!(private_key(&path, [8; 32]), Ok(key.clone()));
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(read(&path), Ok(Some(key)));
        assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1, "nothing is left beside it");
    }

    #[test]
    fn a_file_that_holds_something_else_is_reported_and_left_alone() {
        let folder = Folder::new("no-key");
        for text in ["", "secret words", "AAAA", "\u{fffd}"] {
            let path = folder.0.join("wireguard-home.key");
            fs::write(&path, text).unwrap();
            let error = private_key(&path, [7; 32]).unwrap_err();
            assert!(error.contains("wireguard-home.key") && !error.contains("secret"), "{error}");
            assert_eq!(fs::read_to_string(&path).unwrap(), text);
        }
        let loops = folder.0.join("loop.key");
        symlink(&loops, &loops).unwrap();
        assert!(private_key(&loops, [7; 32]).is_err());
        assert!(private_key(Path::new("/dev/null/x.key"), [7; 32]).is_err());
    }
}
