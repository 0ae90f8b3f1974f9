// What the Glibc module hides from Swift and tests of whole processes need.
#ifndef SLUICE_TESTS_CSYSTEM_H
#define SLUICE_TESTS_CSYSTEM_H

#include <malloc.h>
#include <spawn.h>
#include <sys/socket.h>
#include <unistd.h>

// Declared here because defining _GNU_SOURCE would change types under Swift's own Glibc module.
int accept4(int fd, struct sockaddr *address, socklen_t *length, int flags);
int pipe2(int ends[2], int flags);
int posix_spawn_file_actions_addclosefrom_np(posix_spawn_file_actions_t *actions, int from);

#endif
