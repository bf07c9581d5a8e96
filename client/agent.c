/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Agent
 *
 * polkit asks for a password through an agent. A desktop has one; on a bare terminal nobody would ask, so for the
 * time of a request polkit's own pkttyagent(1) runs beside us. It registers for the process that started it, which
 * is us, and leaves the asking to the session's agent where there is one.
 *
 * The agent turns off the terminal's echo while a password is typed. However it ends, and whatever signal ends us,
 * the terminal is left as it was found, which is why the signals that would end us must be held back meanwhile.
 */

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <systemd/sd-login.h>
#include <termios.h>
#include <unistd.h>

#include "agent.h"
#include "cleanup.h"

#define AGENT_PROGRAM "pkttyagent"

/* polkitd may have to be started first, and for that the bus has 25 seconds. */
#define AGENT_READY_MSEC 25000

/* It has nothing to finish but its own exit; what lasts longer hangs. */
#define AGENT_EXIT_MSEC 3000

struct agent {
        pid_t pid;
        int pid_fd;
        bool is_fallback;
        const struct interrupt *interrupt;
        struct termios terminal;
};

/* Whether the process's session, or else the user's desktop, may have an agent: where polkit looks, too. */
static bool has_session(void) {
        return sd_pid_get_session(0, NULL) >= 0 || sd_uid_get_display(getuid(), NULL) >= 0;
}

/*
 * Becomes the agent. It talks to the user through /dev/tty; what it has to say on standard error is about the bus,
 * and the service's answer will say it better.
 */
static _Noreturn void run_agent(pid_t parent, const sigset_t *mask, int ready_fd, const char *notify,
                                const char *fallback) {
        int null_fd = open("/dev/null", O_WRONLY | O_CLOEXEC);

        if (prctl(PR_SET_PDEATHSIG, SIGTERM) < 0 || getppid() != parent)
                _exit(EXIT_FAILURE);
        if (null_fd < 0 || dup2(null_fd, STDOUT_FILENO) < 0 || dup2(null_fd, STDERR_FILENO) < 0)
                _exit(EXIT_FAILURE);
        if (fcntl(ready_fd, F_SETFD, 0) < 0 || sigprocmask(SIG_SETMASK, mask, NULL) < 0)
                _exit(EXIT_FAILURE);
        execlp(AGENT_PROGRAM, AGENT_PROGRAM, notify, fallback, (char *) NULL);
        _exit(EXIT_FAILURE);
}

/* Starts the agent, and waits until it has registered, has ended, or we are to end. */
static int start(struct agent *agent) {
        /* polkit overlooks a fallback for a process that is in no session (122, tried); there it is the only one. */
        const char *fallback = agent->is_fallback ? "--fallback" : NULL;
        _cleanup_close_ int ready = -1, ready_agent = -1;
        struct pollfd wait[2];
        pid_t self = getpid();
        char notify[32];
        int fds[2];

        if (pipe2(fds, O_CLOEXEC) < 0)
                return -1;
        ready = fds[0];
        ready_agent = fds[1];
        snprintf(notify, sizeof(notify), "--notify-fd=%d", ready_agent);

        agent->pid = fork();
        if (agent->pid == 0)
                run_agent(self, &agent->interrupt->outer_mask, ready_agent, notify, fallback);
        if (agent->pid < 0)
                return -1;
        agent->pid_fd = pidfd_open(agent->pid, 0);

        /* It closes its end when it has registered; if it cannot even start, its end is closed, too. */
        cleanup_closep(&ready_agent);
        ready_agent = -1;
        wait[0] = (struct pollfd){ .fd = ready };
        wait[1] = (struct pollfd){ .fd = agent->interrupt->fd, .events = POLLIN };
        (void) poll(wait, 2, AGENT_READY_MSEC);
        return 0;
}

/**
 * agent_new() - have somebody ask for passwords
 * @interrupt:  the signals that would end us, held back until after agent_free()
 *
 * Does nothing where nobody would be asked: without a terminal, and for root, whom polkit never asks. Waits until
 * the agent is ready.
 *
 * Return: the agent, to be given to agent_free(), or NULL: the request goes on without.
 */
struct agent *agent_new(const struct interrupt *interrupt) {
        struct agent *agent;

        if (geteuid() == 0 || !isatty(STDIN_FILENO) || !isatty(STDERR_FILENO) || interrupt->fd < 0)
                return NULL;

        agent = malloc(sizeof(*agent));
        if (!agent)
                return NULL;
        *agent = (struct agent){
                .pid = -1, .pid_fd = -1, .is_fallback = has_session(), .interrupt = interrupt
        };
        if (tcgetattr(STDIN_FILENO, &agent->terminal) < 0 || start(agent) < 0) {
                free(agent);
                return NULL;
        }
        return agent;
}

/* As when there is no such program. */
static bool has_ended(const struct agent *agent) {
        struct pollfd end = { .fd = agent->pid_fd, .events = POLLIN };

        return agent->pid_fd < 0 || poll(&end, 1, 0) > 0;
}

/**
 * agent_asks_here() - whether the agent may be asking on this terminal
 * @agent:      the agent, or NULL
 *
 * On a desktop it leaves that to the desktop's own.
 */
bool agent_asks_here(const struct agent *agent) {
        _cleanup_free_ char *session = NULL, *type = NULL;

        if (!agent || has_ended(agent))
                return false;
        if (!agent->is_fallback)
                return true;
        if (sd_pid_get_session(0, &session) < 0 && sd_uid_get_display(getuid(), &session) < 0)
                return true;
        return sd_session_get_type(session, &type) < 0 || strcmp(type, "tty") == 0;
}

static bool is_asking(void) {
        struct termios now;

        return tcgetattr(STDIN_FILENO, &now) == 0 && !(now.c_lflag & ECHO);
}

static void stop(struct agent *agent) {
        struct pollfd gone = { .fd = agent->pid_fd, .events = POLLIN };

        (void) kill(agent->pid, SIGTERM);
        (void) kill(agent->pid, SIGCONT);
        if (agent->pid_fd < 0 || poll(&gone, 1, AGENT_EXIT_MSEC) <= 0)
                (void) kill(agent->pid, SIGKILL);
        while (waitpid(agent->pid, NULL, 0) < 0 && errno == EINTR)
                ;
}

/**
 * agent_free() - end the agent and give the terminal back as it was
 * @agent:      the agent, or NULL
 */
void agent_free(struct agent *agent) {
        bool asking;

        if (!agent)
                return;
        asking = is_asking();
        stop(agent);
        /* Half a password must not reach the shell. In the background the terminal is not ours to set. */
        if (tcgetpgrp(STDIN_FILENO) == getpgrp())
                (void) tcsetattr(STDIN_FILENO, asking ? TCSAFLUSH : TCSADRAIN, &agent->terminal);
        cleanup_closep(&agent->pid_fd);
        free(agent);
}
