// A panic of oasis6-mini is a trap: the words that would say what went wrong are a tenth of the program. So that the log
// still says where, this writes two addresses before the default action of the signal ends the process: of the
// instruction, and of the caller where the processor keeps it in a register. `crates.py ELF ADDRESS` names the functions.
#define _GNU_SOURCE
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <ucontext.h>
#include <unistd.h>

static char *hex(char *out, uintptr_t number) {
    *out++ = '0', *out++ = 'x';
    for (int shift = 8 * (int)sizeof number; shift > 0;) {
        shift -= 4;
        *out++ = "0123456789abcdef"[number >> shift & 15];
    }
    return out;
}

static void say(int number, siginfo_t *info, void *context) {
    const mcontext_t *at = &((ucontext_t *)context)->uc_mcontext;
#if defined(__mips__)
    uintptr_t here = at->pc, caller = at->gregs[31];
#elif defined(__aarch64__)
    uintptr_t here = at->pc, caller = at->regs[30];
#elif defined(__arm__)
    uintptr_t here = at->arm_pc, caller = at->arm_lr;
#else
    uintptr_t here = at->gregs[REG_RIP], caller = 0;
#endif
    char line[96] = "oasis6: a bug ends it at ";
    char *end = hex(line + strlen(line), here);
    memcpy(end, " from ", 6);
    end = hex(end + 6, caller);
    *end++ = '\n';
    ssize_t written = write(STDERR_FILENO, line, end - line);
    (void)info, (void)written;
    raise(number);    // takes effect once this returns; SA_RESETHAND has made the action the default one
}

__attribute__((constructor)) static void begin(void) {
    struct sigaction action = {.sa_sigaction = say, .sa_flags = SA_SIGINFO | SA_RESETHAND};
    sigaction(SIGTRAP, &action, NULL);
    sigaction(SIGILL, &action, NULL);
    sigaction(SIGABRT, &action, NULL);
}
