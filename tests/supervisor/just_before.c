/* A signal at the worst instant: TERM_PID gets TERM just before its TERM_AT-th call that may block, unless the file
   TERM_UNLESS is there. The file TERM_MARK says that it did. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

static void now(void)
{
    static int left = -1;
    if (atoi(getenv("TERM_PID")) != getpid())
        return;
    if (left == -1)
        left = atoi(getenv("TERM_AT"));
    if (left-- == 0 && access(getenv("TERM_UNLESS"), F_OK)) {
        close(creat(getenv("TERM_MARK"), 0644));
        raise(SIGTERM);
    }
}

static ssize_t (*real_read)(int, void *, size_t);
static pid_t (*real_waitpid)(pid_t, int *, int);

/* Once, before main: bash waits for children in its handler of SIGCHLD, and a handler that looks symbols up while it has
   interrupted a look-up waits for ever for the lock that it itself holds. */
__attribute__((constructor)) static void look_up(void)
{
    real_read = (ssize_t(*)(int, void *, size_t))dlsym(RTLD_NEXT, "read");
    real_waitpid = (pid_t(*)(pid_t, int *, int))dlsym(RTLD_NEXT, "waitpid");
}

ssize_t read(int fd, void *buffer, size_t size)
{
    if (!real_read)
        look_up();
    now();
    return real_read(fd, buffer, size);
}

pid_t waitpid(pid_t pid, int *status, int flags)
{
    if (!real_waitpid)
        look_up();
    if (!(flags & WNOHANG))
        now();
    return real_waitpid(pid, status, flags);
}
