/*
 * Loaded into Redis before the C library (LD_PRELOAD). Notes in the file WRAPUP_SYNC_LOG, one line each, how long a file was
 * when a sync of it began that has since come to its end: "<inode> <bytes>". What was written after it, or while it went
 * on, is not known to be on the disk. A file that is removed, or that another one takes the name of, is noted with 0 bytes,
 * as a later file may get its inode. A sync takes WRAPUP_SYNC_US microseconds more, as a disk under load does: so that
 * more cuts fall into one. While the file WRAPUP_DISK_FULL is there, a write to a file ends half way, and the next
 * one with ENOSPC, as on a disk that has run full.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int log_file = -1;
static const char *full;
static useconds_t delay;

__attribute__((constructor)) static void begin(void) {
  const char *path = getenv("WRAPUP_SYNC_LOG");
  if (path) log_file = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
  /* A copy: Redis writes its title over the environment. */
  const char *path_of_full = getenv("WRAPUP_DISK_FULL");
  if (path_of_full) full = strdup(path_of_full);
  const char *longer = getenv("WRAPUP_SYNC_US");
  if (longer) delay = atoi(longer);
}

static ssize_t really_write(int file, const void *bytes, size_t count) {
  static ssize_t (*real)(int, const void *, size_t);
  if (!real) real = dlsym(RTLD_NEXT, "write");
  return real(file, bytes, count);
}

static void note(unsigned long inode, long bytes) {
  char line[64];
  int length = snprintf(line, sizeof line, "%lu %ld\n", inode, bytes);
  int kept = errno;
  /* A line that is not written would make a file look shorter than it is, never longer. */
  if (log_file >= 0 && really_write(log_file, line, length) != length) abort();
  errno = kept;
}

static int sync_and_note(int file, int (*real)(int)) {
  struct stat before;
  int is_file = fstat(file, &before) == 0 && S_ISREG(before.st_mode);
  if (is_file && delay) usleep(delay);
  int result = real(file);
  if (result == 0 && is_file) note(before.st_ino, before.st_size);
  return result;
}

int fdatasync(int file) {
  static int (*real)(int);
  if (!real) real = dlsym(RTLD_NEXT, "fdatasync");
  return sync_and_note(file, real);
}

int fsync(int file) {
  static int (*real)(int);
  if (!real) real = dlsym(RTLD_NEXT, "fsync");
  return sync_and_note(file, real);
}

int unlink(const char *path) {
  static int (*real)(const char *);
  if (!real) real = dlsym(RTLD_NEXT, "unlink");
  struct stat before;
  int is_file = stat(path, &before) == 0 && S_ISREG(before.st_mode) && before.st_nlink == 1;
  int result = real(path);
  if (result == 0 && is_file) note(before.st_ino, 0);
  return result;
}

int rename(const char *from, const char *to) {
  static int (*real)(const char *, const char *);
  if (!real) real = dlsym(RTLD_NEXT, "rename");
  struct stat before;
  int replaces = stat(to, &before) == 0 && S_ISREG(before.st_mode) && before.st_nlink == 1;
  int result = real(from, to);
  if (result == 0 && replaces) note(before.st_ino, 0);
  return result;
}

ssize_t write(int file, const void *bytes, size_t count) {
  struct stat its;
  if (full && access(full, F_OK) == 0 && fstat(file, &its) == 0 && S_ISREG(its.st_mode)) {
    static int halves;
    if (count > 1 && halves++ % 2 == 0) return really_write(file, bytes, count / 2);
    errno = ENOSPC;
    return -1;
  }
  return really_write(file, bytes, count);
}
