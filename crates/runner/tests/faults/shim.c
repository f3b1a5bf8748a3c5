/* Faults for a program that knows nothing of them, loaded before libc (LD_PRELOAD). In the folder FAULT_BELOW:
 *   FAULT=before, after   the process kills itself before or after the FAULT_AT-th rename
 *   FAULT=full            writes fail with ENOSPC once FAULT_AT bytes are written
 *   FAULT=readonly        files cannot be opened for writing (EROFS) */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

static int fault(const char *name) {
    const char *set = getenv("FAULT");
    return set && strcmp(set, name) == 0;
}

static long at(void) {
    const char *set = getenv("FAULT_AT");
    return set ? atol(set) : 0;
}

static int below(const char *path) {
    const char *folder = getenv("FAULT_BELOW");
    return folder && strncmp(path, folder, strlen(folder)) == 0;
}

int rename(const char *from, const char *to) {
    static long renames;
    int (*real)(const char *, const char *) = (int (*)(const char *, const char *))dlsym(RTLD_NEXT, "rename");
    long count = below(to) ? __sync_add_and_fetch(&renames, 1) : 0;
    if (count && count == at() && fault("before")) kill(getpid(), SIGKILL);
    int status = real(from, to);
    if (count && count == at() && fault("after")) kill(getpid(), SIGKILL);
    return status;
}

ssize_t write(int file, const void *bytes, size_t length) {
    static long written;
    ssize_t (*real)(int, const void *, size_t) = (ssize_t (*)(int, const void *, size_t))dlsym(RTLD_NEXT, "write");
    if (fault("full")) {
        char link[64], path[PATH_MAX];
        snprintf(link, sizeof link, "/proc/self/fd/%d", file);
        ssize_t size = readlink(link, path, sizeof path - 1);
        path[size > 0 ? size : 0] = 0;
        if (below(path) && __sync_add_and_fetch(&written, (long)length) > at()) {
            errno = ENOSPC;
            return -1;
        }
    }
    return real(file, bytes, length);
}

static int opened(const char *name, const char *path, int flags, mode_t mode) {
    int (*real)(const char *, int, ...) = (int (*)(const char *, int, ...))dlsym(RTLD_NEXT, name);
    if ((flags & (O_WRONLY | O_RDWR)) && fault("readonly") && below(path)) {
        errno = EROFS;
        return -1;
    }
    return real(path, flags, mode);
}

#define MODE(flags) \
    mode_t mode = 0; \
    if ((flags) & O_CREAT) { \
        va_list more; \
        va_start(more, flags); \
        mode = va_arg(more, mode_t); \
        va_end(more); \
    }

int open(const char *path, int flags, ...) {
    MODE(flags)
    return opened("open", path, flags, mode);
}

int open64(const char *path, int flags, ...) {
    MODE(flags)
    return opened("open64", path, flags, mode);
}
