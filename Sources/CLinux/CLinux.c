#include "CLinux.h"
#include <sys/syscall.h>

__thread void *sluice_thread_loop __attribute__((tls_model("initial-exec")));

long sluice_affinity(void *mask, size_t size) { return syscall(SYS_sched_getaffinity, 0, size, mask); }

enum { MAX_FDS = 253 };

ssize_t sluice_send_fds(int socket, const int *fds, size_t count, const void *bytes, size_t length) {
    union { char space[CMSG_SPACE(sizeof(int) * MAX_FDS)]; struct cmsghdr header; } control;
    struct iovec vector = {.iov_base = (void *)bytes, .iov_len = length};
    struct msghdr message = {.msg_iov = &vector, .msg_iovlen = 1, .msg_control = control.space};
    if (count > MAX_FDS) { errno = EINVAL; return -1; }
    memset(&control, 0, sizeof control);
    message.msg_controllen = CMSG_SPACE(sizeof(int) * count);
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof(int) * count);
    memcpy(CMSG_DATA(header), fds, sizeof(int) * count);
    return sendmsg(socket, &message, MSG_NOSIGNAL);
}

ssize_t sluice_receive_fds(int socket, int *fds, size_t *count, void *bytes, size_t length) {
    union { char space[CMSG_SPACE(sizeof(int) * MAX_FDS)]; struct cmsghdr header; } control;
    struct iovec vector = {.iov_base = bytes, .iov_len = length};
    struct msghdr message = {
        .msg_iov = &vector, .msg_iovlen = 1, .msg_control = control.space, .msg_controllen = sizeof control.space};
    size_t capacity = *count;
    *count = 0;
    ssize_t result = recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
    if (result < 0) return result;
    for (struct cmsghdr *header = CMSG_FIRSTHDR(&message); header; header = CMSG_NXTHDR(&message, header)) {
        if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS) continue;
        size_t received = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (size_t index = 0; index < received; index++) {
            int fd;
            memcpy(&fd, CMSG_DATA(header) + index * sizeof(int), sizeof fd);
            if (*count < capacity) fds[(*count)++] = fd; else close(fd);
        }
    }
    return result;
}
