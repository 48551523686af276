/* SPDX-License-Identifier: BSD-2-Clause */
#include "capture/kernel.h"

#include <sys/syscall.h>

#include "base/types.h"

/* From here on new calls have one number on all machines, but for those with 64-bit times, which only 32-bit ones have. */
#define SAME_FROM 424

/* System calls of 32-bit x86 programs whose numbers we care for, and what they are called here. */
static const struct {
	uint16_t number, here;
} calls[] = {
#ifdef __x86_64__
	{2, SYS_fork},
	{3, SYS_read},
	{4, SYS_write},
	{6, SYS_close},
	{7, SYS_wait4},
	{11, SYS_execve},
	{29, SYS_pause},
	{36, SYS_sync},
	{42, SYS_pipe},
	{54, SYS_ioctl},
	{55, SYS_fcntl},
	{72, SYS_rt_sigsuspend},
	{82, SYS_select},
	{114, SYS_wait4},
	{118, SYS_fsync},
	{120, SYS_clone},
	{142, SYS_select},
	{143, SYS_flock},
	{144, SYS_msync},
	{145, SYS_readv},
	{146, SYS_writev},
	{148, SYS_fdatasync},
	{162, SYS_nanosleep},
	{168, SYS_poll},
	{177, SYS_rt_sigtimedwait},
	{179, SYS_rt_sigsuspend},
	{180, SYS_pread64},
	{181, SYS_pwrite64},
	{187, SYS_sendfile},
	{190, SYS_vfork},
	{192, SYS_mmap},
	{220, SYS_getdents64},
	{221, SYS_fcntl},
	{239, SYS_sendfile},
	{240, SYS_futex},
	{247, SYS_io_getevents},
	{254, SYS_epoll_create},
	{256, SYS_epoll_wait},
	{267, SYS_clock_nanosleep},
	{279, SYS_mq_timedsend},
	{280, SYS_mq_timedreceive},
	{284, SYS_waitid},
	{308, SYS_pselect6},
	{309, SYS_ppoll},
	{313, SYS_splice},
	{314, SYS_sync_file_range},
	{315, SYS_tee},
	{316, SYS_vmsplice},
	{319, SYS_epoll_pwait},
	{323, SYS_eventfd},
	{328, SYS_eventfd2},
	{329, SYS_epoll_create1},
	{331, SYS_pipe2},
	{333, SYS_preadv},
	{334, SYS_pwritev},
	{337, SYS_recvmmsg},
	{344, SYS_syncfs},
	{345, SYS_sendmmsg},
	{362, SYS_connect},
	{364, SYS_accept4},
	{369, SYS_sendto},
	{370, SYS_sendmsg},
	{371, SYS_recvfrom},
	{372, SYS_recvmsg},
	{373, SYS_shutdown},
	{378, SYS_preadv2},
	{379, SYS_pwritev2},
	{400, SYS_msgsnd},
	{401, SYS_msgrcv},
	{407, SYS_clock_nanosleep},
	{413, SYS_pselect6},
	{414, SYS_ppoll},
	{417, SYS_recvmmsg},
	{418, SYS_mq_timedsend},
	{419, SYS_mq_timedreceive},
	{420, SYS_semtimedop},
	{421, SYS_rt_sigtimedwait},
	{422, SYS_futex},
#else
	{0, PT_SYSCALL_FOREIGN}, /* those of 32-bit Arm are not known here */
#endif
};

void pt_kernel_number_compat_calls(struct pt_config *config)
{
	bool x86 = PT_ARRAY_SIZE(calls) > 1;
	size_t i;

	for (i = 0; i < PT_SYSCALL_LIMIT; i++)
		config->compat_call[i] = (uint16_t)(x86 && i >= SAME_FROM ? i : PT_SYSCALL_FOREIGN);
	for (i = 0; i < PT_ARRAY_SIZE(calls); i++)
		config->compat_call[calls[i].number] = calls[i].here;
}
