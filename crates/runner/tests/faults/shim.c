/* Faults for a program that knows nothing of them, loaded before libc (LD_PRELOAD). They concern what lies at or below the paths
 * FAULT_BELOW: absolute, a line each. Calls are counted over all processes, in the file FAULT_COUNTS.
 *   FAULT=before, after   a process kills itself before or after the FAULT_AT-th change of a folder: a rename, a link, a file or
 *                         folder that is made (mkdir) or removed (unlink, rmdir)
 *   FAULT=full            writes fail with ENOSPC once FAULT_AT bytes are written
 *   FAULT=readonly        files cannot be opened for writing (EROFS)
 *   FAULT=read, open      the FAULT_AT-th read or opening fails with the error of number FAULT_ERROR
 *   FAULT=restless        every other read is interrupted (EINTR), and the others give half of what is asked for
 *   FAULT=list            each read and opening gets a line in the file FAULT_LOG
 *   FAULT=record          what changes files and folders, and what is synced, goes to the file FAULT_LOG, with the bytes, in order */
#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

#define REAL(type, name, ...) \
    static type (*real)(__VA_ARGS__); \
    if (!real) real = (type (*)(__VA_ARGS__))dlsym(RTLD_NEXT, name);

/* Shared by all processes. */
static struct { long changes, written, reads, opens, lock; } *counts;
static int logged = -1;
static char fault_[32], below_[4 * PATH_MAX];
static long at_;
static int error_;

static ssize_t put(int file, const void *bytes, size_t length) {
    REAL(ssize_t, "write", int, const void *, size_t)
    return real(file, bytes, length);
}

/* To sync a whole file system is refused, as old systems do (ENOSYS): it may be asked for without libc, where it is not seen here, and
 * what is then synced file by file is. */
static void refuse_syncfs(void) {
    struct sock_filter lines[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_syncfs, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog filter = {sizeof lines / sizeof *lines, lines};
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter)) abort();
}

__attribute__((constructor)) static void begin(void) {
    REAL(int, "open64", const char *, int, ...)
    const char *fault = getenv("FAULT"), *at = getenv("FAULT_AT"), *below = getenv("FAULT_BELOW");
    const char *error = getenv("FAULT_ERROR"), *shared = getenv("FAULT_COUNTS"), *log = getenv("FAULT_LOG");
    if (!fault || !below || !shared) return;
    int file = real(shared, O_RDWR | O_CLOEXEC);
    if (file < 0) abort();
    counts = mmap(NULL, sizeof *counts, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    if (counts == MAP_FAILED) abort();
    close(file);
    if (log) logged = real(log, O_WRONLY | O_APPEND | O_CLOEXEC);
    snprintf(fault_, sizeof fault_, "%s", fault);
    snprintf(below_, sizeof below_, "%s", below);
    at_ = at ? atol(at) : 0;
    error_ = error ? atoi(error) : EIO;
    if (strcmp(fault_, "record") == 0) refuse_syncfs();
}

static int fault(const char *name) { return counts && strcmp(fault_, name) == 0; }

/* Whether this absolute path is one of FAULT_BELOW, or below one. */
static int below(const char *path) {
    for (const char *line = below_; counts && *line;) {
        size_t length = strcspn(line, "\n");
        if (strncmp(path, line, length) == 0 && (path[length] == '/' || path[length] == 0)) return 1;
        line += length + (line[length] == '\n');
    }
    return 0;
}

/* The absolute path of an open file. */
static const char *path_of(int file, char *path) {
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", file);
    ssize_t size = readlink(link, path, PATH_MAX - 1);
    path[size > 0 ? size : 0] = 0;
    return path;
}

/* The absolute path of a name in an open folder, or in the working directory. */
static const char *absolute(int folder, const char *name, char *path) {
    size_t length = 0;
    if (name[0] != '/') {
        if (folder != AT_FDCWD) path_of(folder, path);
        else if (!getcwd(path, PATH_MAX)) path[0] = 0;
        length = strlen(path);
        path[length++] = '/';
    }
    snprintf(path + length, PATH_MAX - length, "%s", name);
    return path;
}

/* What is recorded has the order in which it happened: from `enter` to `leave`, nobody else changes anything. */
static void enter(void) {
    while (fault("record") && __sync_lock_test_and_set(&counts->lock, 1)) sched_yield();
}

static void leave(void) {
    int kept = errno;
    if (fault("record")) __sync_lock_release(&counts->lock);
    errno = kept;
}

static void record(const char *what, const char *path, const char *other, long long place, const void *bytes, size_t length) {
    if (!fault("record") || logged < 0) return;
    int kept = errno;
    char head[128];
    int size = snprintf(head, sizeof head, "%s %zu %zu %lld %zu\n", what, strlen(path), strlen(other), place, length);
    put(logged, head, (size_t)size);
    put(logged, path, strlen(path));
    put(logged, other, strlen(other));
    put(logged, bytes, length);
    errno = kept;
}

static void list(const char *what, const char *path) {
    char line[PATH_MAX + 16];
    int size = snprintf(line, sizeof line, "%s %s\n", what, path);
    if (fault("list") && logged >= 0) put(logged, line, (size_t)size);
}

/* A change of a folder, before and after it happens. */
static long before(const char *path) {
    long count = below(path) ? __sync_add_and_fetch(&counts->changes, 1) : 0;
    if (count && count == at_ && fault("before")) kill(getpid(), SIGKILL);
    enter();
    return count;
}

static void after(long count, int status, const char *what, const char *path, const char *other) {
    if (count && status == 0) record(what, path, other, 0, "", 0);
    leave();
    if (count && count == at_ && fault("after")) kill(getpid(), SIGKILL);
}

#define CHANGE(what, path, other, call) \
    long count = before(path); \
    int status = call; \
    after(count, status, what, path, other); \
    return status;

int rename(const char *from, const char *to) {
    REAL(int, "rename", const char *, const char *)
    char old[PATH_MAX], new[PATH_MAX];
    CHANGE("rename", absolute(AT_FDCWD, to, new), absolute(AT_FDCWD, from, old), real(from, to))
}

int renameat2(int from_folder, const char *from, int to_folder, const char *to, unsigned flags) {
    REAL(int, "renameat2", int, const char *, int, const char *, unsigned)
    char old[PATH_MAX], new[PATH_MAX];
    CHANGE("rename", absolute(to_folder, to, new), absolute(from_folder, from, old), real(from_folder, from, to_folder, to, flags))
}

int linkat(int from_folder, const char *from, int to_folder, const char *to, int flags) {
    REAL(int, "linkat", int, const char *, int, const char *, int)
    char old[PATH_MAX], new[PATH_MAX];
    CHANGE("link", absolute(to_folder, to, new), absolute(from_folder, from, old), real(from_folder, from, to_folder, to, flags))
}

int link(const char *from, const char *to) { return linkat(AT_FDCWD, from, AT_FDCWD, to, 0); }

int unlink(const char *name) {
    REAL(int, "unlink", const char *)
    char path[PATH_MAX];
    CHANGE("unlink", absolute(AT_FDCWD, name, path), "", real(name))
}

int rmdir(const char *name) {
    REAL(int, "rmdir", const char *)
    char path[PATH_MAX];
    CHANGE("unlink", absolute(AT_FDCWD, name, path), "", real(name))
}

int unlinkat(int folder, const char *name, int flags) {
    REAL(int, "unlinkat", int, const char *, int)
    char path[PATH_MAX];
    CHANGE("unlink", absolute(folder, name, path), "", real(folder, name, flags))
}

int mkdir(const char *name, mode_t mode) {
    REAL(int, "mkdir", const char *, mode_t)
    char path[PATH_MAX];
    CHANGE("mkdir", absolute(AT_FDCWD, name, path), "", real(name, mode))
}

/* Whether so many bytes more find no room. */
static int is_full(const char *path, size_t length) {
    if (!fault("full") || !below(path) || __sync_add_and_fetch(&counts->written, (long)length) <= at_) return 0;
    errno = ENOSPC;
    return 1;
}

static off_t end_of(int file) {
    struct stat status;
    return fstat(file, &status) == 0 ? status.st_size : 0;
}

ssize_t write(int file, const void *bytes, size_t length) {
    char path[PATH_MAX];
    if (!counts || !below(path_of(file, path))) return put(file, bytes, length);
    if (is_full(path, length)) return -1;
    enter();
    ssize_t written = put(file, bytes, length);
    if (written > 0) {
        off_t end = fcntl(file, F_GETFL) & O_APPEND ? end_of(file) : lseek(file, 0, SEEK_CUR);
        record("write", path, "", end - written, bytes, (size_t)written);
    }
    leave();
    return written;
}

ssize_t writev(int file, const struct iovec *parts, int count) {
    REAL(ssize_t, "writev", int, const struct iovec *, int)
    char path[PATH_MAX];
    /* A short write is allowed. */
    return counts && count > 0 && below(path_of(file, path)) ? write(file, parts[0].iov_base, parts[0].iov_len) : real(file, parts, count);
}

ssize_t pwrite64(int file, const void *bytes, size_t length, off_t place) {
    REAL(ssize_t, "pwrite64", int, const void *, size_t, off_t)
    char path[PATH_MAX];
    if (!counts || !below(path_of(file, path))) return real(file, bytes, length, place);
    if (is_full(path, length)) return -1;
    enter();
    ssize_t written = real(file, bytes, length, place);
    if (written > 0) record("write", path, "", place, bytes, (size_t)written);
    leave();
    return written;
}

int ftruncate64(int file, off_t length) {
    REAL(int, "ftruncate64", int, off_t)
    char path[PATH_MAX];
    enter();
    int status = real(file, length);
    if (status == 0 && below(path_of(file, path))) record("cut", path, "", length, "", 0);
    leave();
    return status;
}

static int synced(int file, int (*real)(int)) {
    char path[PATH_MAX];
    enter();
    int status = real(file);
    if (status == 0 && below(path_of(file, path))) record("sync", path, "", 0, "", 0);
    leave();
    return status;
}

int fsync(int file) {
    REAL(int, "fsync", int)
    return synced(file, real);
}

int fdatasync(int file) {
    REAL(int, "fdatasync", int)
    return synced(file, real);
}

/* The length of a read that may be given, or -1 where it fails. */
static ssize_t allowed(int file, size_t length) {
    char path[PATH_MAX];
    if (!counts || !below(path_of(file, path))) return (ssize_t)length;
    list("read", path);
    long count = __sync_add_and_fetch(&counts->reads, 1);
    if (fault("read") && count == at_) {
        errno = error_;
        return -1;
    }
    if (!fault("restless")) return (ssize_t)length;
    if (count % 2) {
        errno = EINTR;
        return -1;
    }
    return (ssize_t)(length > 1 ? length / 2 : length);
}

ssize_t read(int file, void *bytes, size_t length) {
    REAL(ssize_t, "read", int, void *, size_t)
    ssize_t given = allowed(file, length);
    return given < 0 ? -1 : real(file, bytes, (size_t)given);
}

ssize_t pread64(int file, void *bytes, size_t length, off_t place) {
    REAL(ssize_t, "pread64", int, void *, size_t, off_t)
    ssize_t given = allowed(file, length);
    return given < 0 ? -1 : real(file, bytes, (size_t)given, place);
}

ssize_t readv(int file, const struct iovec *parts, int count) {
    REAL(ssize_t, "readv", int, const struct iovec *, int)
    char path[PATH_MAX];
    return counts && count > 0 && below(path_of(file, path)) ? read(file, parts[0].iov_base, parts[0].iov_len) : real(file, parts, count);
}

/* Whether opening this fails. */
static int closed(const char *path, int flags) {
    if (!counts || !below(path)) return 0;
    if ((flags & (O_WRONLY | O_RDWR)) && fault("readonly")) {
        errno = EROFS;
        return 1;
    }
    list("open", path);
    long count = __sync_add_and_fetch(&counts->opens, 1);
    if (!fault("open") || count != at_) return 0;
    errno = error_;
    return 1;
}

static int opened(int (*real)(int, const char *, int, ...), int folder, const char *name, int flags, mode_t mode) {
    char path[PATH_MAX];
    struct stat status;
    if (closed(absolute(folder, name, path), flags)) return -1;
    int makes = counts && (flags & (O_CREAT | O_TRUNC)) && below(path);
    if (!makes) return real(folder, name, flags, mode);
    enter();
    int is_new = lstat(path, &status) != 0;
    int file = real(folder, name, flags, mode);
    if (file >= 0 && is_new) record("create", path, "", 0, "", 0);
    else if (file >= 0 && (flags & O_TRUNC)) record("cut", path, "", 0, "", 0);
    leave();
    return file;
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
    REAL(int, "openat64", int, const char *, int, ...)
    return opened(real, AT_FDCWD, path, flags, mode);
}

int open64(const char *path, int flags, ...) {
    MODE(flags)
    REAL(int, "openat64", int, const char *, int, ...)
    return opened(real, AT_FDCWD, path, flags, mode);
}

int openat64(int folder, const char *path, int flags, ...) {
    MODE(flags)
    REAL(int, "openat64", int, const char *, int, ...)
    return opened(real, folder, path, flags, mode);
}

DIR *opendir(const char *name) {
    REAL(DIR *, "opendir", const char *)
    char path[PATH_MAX];
    return closed(absolute(AT_FDCWD, name, path), O_RDONLY) ? NULL : real(name);
}
