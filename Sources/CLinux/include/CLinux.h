// What the Glibc module hides from Swift: epoll, eventfd, accept4, signalfd and a thread-local slot. No logic.
#ifndef SLUICE_CLINUX_H
#define SLUICE_CLINUX_H

#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <spawn.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <malloc.h>
#include <unistd.h>

// Declared here because defining _GNU_SOURCE would change types under Swift's own Glibc module.
int accept4(int fd, struct sockaddr *address, socklen_t *length, int flags);
int pthread_setname_np(pthread_t thread, const char *name);
int pipe2(int fds[2], int flags);
int posix_spawn_file_actions_addclosefrom_np(posix_spawn_file_actions_t *actions, int from);

/// The event loop that runs on this thread, or null.
extern __thread void *sluice_thread_loop __attribute__((tls_model("initial-exec")));
static inline void *sluice_thread_loop_get(void) { return sluice_thread_loop; }
static inline void sluice_thread_loop_set(void *loop) { sluice_thread_loop = loop; }

static inline int sluice_errno(void) { return errno; }

/// No image of the memory after a crash, and no other process of the same user that reads it (prctl(2)); 0 or -1.
static inline int sluice_forbid_dumps(void) { return prctl(PR_SET_DUMPABLE, 0, 0, 0, 0); }

/// sched_getaffinity(2) into a plain buffer: how many bytes of the mask were written, or -1.
long sluice_affinity(void *mask, size_t size);

/// sendmsg(2) and recvmsg(2) with SCM_RIGHTS: the CMSG macros cannot be seen from Swift.
ssize_t sluice_send_fds(int socket, const int *fds, size_t count, const void *bytes, size_t length);
ssize_t sluice_receive_fds(int socket, int *fds, size_t *count, void *bytes, size_t length);

#endif
