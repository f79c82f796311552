#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Users at terminals: plays a script of several terminals, each a pseudo-terminal with a program on it.

    terminal.py < SCRIPT

A line is `NAME ACTION [ARGUMENTS]`; NAME is of a terminal, which its first action makes. Texts have Python's
escapes ("\\x10" is Ctrl-P). Actions:

    size ROWS COLS      sets the window's size (the program, if it runs, is told by SIGWINCH)
    start COMMAND...    runs a shell command on it, in a session of its own
    wait TEXT           until the screen has shown TEXT, behind what was waited for before
    type TEXT           as if typed
    signal NAME         sends a signal to the program
    raw | cooked        the terminal's mode has to become that
    end CODE            the program has to end with that code, and the terminal to be as before it
    shell COMMAND...    runs a command elsewhere; it has to succeed
    lacks TEXT          what was shown so far must not have TEXT

Prints what went wrong and all that was shown; the exit code is 0 when nothing did.
"""
import fcntl
import os
import select
import signal
import struct
import subprocess
import sys
import termios
import time

LIMIT = float(os.environ.get("TERMINAL_LIMIT", "100"))


class Wrong(Exception):
    """A step of the script that did not come true."""


class Terminal:
    """One pseudo-terminal and the program on it."""

    def __init__(self):
        self.user, self.tty = os.openpty()
        self.before = termios.tcgetattr(self.tty)
        self.shown = b""
        self.seen = 0
        self.pid = 0
        self.code = None

    def take(self, seconds):
        """Reads what the program shows, for at most that long."""
        if not select.select([self.user], [], [], seconds)[0]:
            return
        try:
            self.shown += os.read(self.user, 65536)
        except OSError:
            time.sleep(seconds)

    def until(self, done, what):
        """Waits until done() holds."""
        end = time.monotonic() + LIMIT
        while not done():
            if time.monotonic() > end:
                raise Wrong(what)
            for terminal in TERMINALS.values():
                terminal.take(0.02)

    def do_size(self, text):
        rows, cols = (int(word) for word in text.split())
        size = struct.pack("HHHH", rows, cols, 0, 0)
        fcntl.ioctl(self.tty, termios.TIOCSWINSZ, size)

    def do_start(self, text):
        self.code = None
        self.before = termios.tcgetattr(self.tty)
        self.pid = os.fork()
        if self.pid:
            return
        os.setsid()
        fcntl.ioctl(self.tty, termios.TIOCSCTTY, 0)
        for fd in range(3):
            os.dup2(self.tty, fd)
        os.closerange(3, 256)
        # bats and background jobs ignore some
        for name in (signal.SIGINT, signal.SIGQUIT, signal.SIGPIPE):
            signal.signal(name, signal.SIG_DFL)
        os.execv("/bin/sh", ["sh", "-c", "exec " + text])

    def do_wait(self, text):
        wanted = text.encode().decode("unicode_escape").encode("latin-1")

        def found():
            at = self.shown.find(wanted, self.seen)
            if at >= 0:
                self.seen = at + len(wanted)
            return at >= 0

        self.until(found, "was not shown")

    def do_lacks(self, text):
        if text.encode().decode("unicode_escape").encode("latin-1") in self.shown:
            raise Wrong("was shown")

    def do_type(self, text):
        data = text.encode().decode("unicode_escape").encode("latin-1")
        os.write(self.user, data)

    def do_signal(self, text):
        os.kill(self.pid, getattr(signal, "SIG" + text))

    def is_raw(self):
        return not termios.tcgetattr(self.tty)[3] & (termios.ICANON | termios.ECHO | termios.ISIG)

    def do_raw(self, _):
        self.until(self.is_raw, "the terminal did not become raw")

    def do_cooked(self, _):
        self.until(lambda: not self.is_raw(), "the terminal stayed raw")

    def ended(self):
        if self.code is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.code = os.waitstatus_to_exitcode(status)
                self.take(0)
        return self.code is not None

    def do_end(self, text):
        self.until(self.ended, "did not end")
        self.pid = 0
        if self.code != int(text):
            raise Wrong(f"ended with {self.code}")
        if termios.tcgetattr(self.tty) != self.before:
            raise Wrong("the terminal is not as it was before")

    @staticmethod
    def do_shell(text):
        subprocess.run(["/bin/sh", "-c", text], check=True, stdout=subprocess.DEVNULL)


TERMINALS = {}


def play(lines):
    """Each line of the script."""
    for line in lines:
        line = line.strip()
        if not line or line.startswith("#"):
            continue
        name, action, *rest = line.split(None, 2)
        terminal = TERMINALS.setdefault(name, Terminal())
        try:
            getattr(terminal, "do_" + action)(rest[0] if rest else "")
        except (Wrong, subprocess.CalledProcessError) as problem:
            print(f"{line}: {problem}")
            return 1
    return 0


def main():
    result = play(sys.stdin.read().splitlines())
    for name, terminal in TERMINALS.items():
        if result:
            print(f"--- {name}\n{terminal.shown.decode(errors='replace')}")
        if terminal.pid and not terminal.ended():
            os.kill(terminal.pid, signal.SIGKILL)
    return result


sys.exit(main())
