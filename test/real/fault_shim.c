/* Loaded before libc by test/real/seal_faults.py: the FAULT_AT-th call that writes, syncs, renames, opens or talks to a
   server fails (FAULT_MODE=fail), or the process dies: before it (die), in the middle of what it writes (half), after
   it (late). What it was is written to the file FAULT_MARK. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { DIED = 99 };

static long calls;

static void mark(const char *call, int fd) {
  char text[64];
  const int length = snprintf(text, sizeof text, "%s %d\n", call, fd);
  const long file = syscall(SYS_openat, AT_FDCWD, getenv("FAULT_MARK"), O_WRONLY | O_CREAT | O_TRUNC, 0600);
  syscall(SYS_write, file, text, length);
  syscall(SYS_close, file);
}

/* What becomes of this call: 0 nothing, or the first letter of the mode. */
static char fate(const char *call, int fd) {
  const char *at = getenv("FAULT_AT");
  if (at == NULL || ++calls != atol(at)) return 0;
  mark(call, fd);
  return getenv("FAULT_MODE")[0];
}

static void *next(const char *name) { return dlsym(RTLD_NEXT, name); }

/* A connection that fails is gone for good, for both ends. */
static int failed(const char *call, int fd) {
  const int talk = strcmp(call, "send") == 0 || strcmp(call, "recv") == 0;
  if (talk) shutdown(fd, SHUT_RDWR);
  errno = talk ? ECONNRESET : EIO;
  return -1;
}

#define FAULTY(fd, name, real, some)               \
  do {                                                   \
    const char end = fate(name, fd);                     \
    if (end == 'f') return failed(name, fd);             \
    if (end == 'd') _exit(DIED);                         \
    if (end == 'h') {                                    \
      some;                                              \
      _exit(DIED);                                       \
    }                                                    \
    if (end == 'l') {                                    \
      (void)!(real);                                     \
      _exit(DIED);                                       \
    }                                                    \
    return real;                                         \
  } while (0)

ssize_t write(int fd, const void *bytes, size_t count) {
  ssize_t (*real)(int, const void *, size_t) = next("write");
  FAULTY(fd, "write", real(fd, bytes, count), (void)!real(fd, bytes, count / 2));
}

ssize_t pwrite64(int fd, const void *bytes, size_t count, off64_t at) {
  ssize_t (*real)(int, const void *, size_t, off64_t) = next("pwrite64");
  FAULTY(fd, "pwrite64", real(fd, bytes, count, at), (void)!real(fd, bytes, count / 2, at));
}

ssize_t send(int fd, const void *bytes, size_t count, int flags) {
  ssize_t (*real)(int, const void *, size_t, int) = next("send");
  FAULTY(fd, "send", real(fd, bytes, count, flags), (void)!real(fd, bytes, count / 2, flags));
}

ssize_t recv(int fd, void *bytes, size_t count, int flags) {
  ssize_t (*real)(int, void *, size_t, int) = next("recv");
  FAULTY(fd, "recv", real(fd, bytes, count, flags), (void)0);
}

int fsync(int fd) {
  int (*real)(int) = next("fsync");
  FAULTY(fd, "fsync", real(fd), (void)0);
}

int fdatasync(int fd) {
  int (*real)(int) = next("fdatasync");
  FAULTY(fd, "fdatasync", real(fd), (void)0);
}

int ftruncate64(int fd, off64_t size) {
  int (*real)(int, off64_t) = next("ftruncate64");
  FAULTY(fd, "ftruncate64", real(fd, size), (void)0);
}

int rename(const char *from, const char *to) {
  int (*real)(const char *, const char *) = next("rename");
  FAULTY(-1, "rename", real(from, to), (void)0);
}

int unlink(const char *path) {
  int (*real)(const char *) = next("unlink");
  FAULTY(-1, "unlink", real(path), (void)0);
}

static int opened(const char *name, const char *path, int flags, mode_t mode) {
  int (*real)(const char *, int, ...) = next(name);
  FAULTY(-1, "open", real(path, flags, mode), (void)0);
}

#define OPEN(name)                                 \
  int name(const char *path, int flags, ...) {     \
    va_list rest;                                  \
    va_start(rest, flags);                         \
    const mode_t mode = va_arg(rest, mode_t);      \
    va_end(rest);                                  \
    return opened("open64", path, flags, mode);    \
  }
OPEN(open)
OPEN(open64)
int __open_2(const char *path, int flags) { return opened("open64", path, flags, 0); }
int __open64_2(const char *path, int flags) { return opened("open64", path, flags, 0); }
