#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Types lines at a shell on a terminal of its own, each with a tab, and prints what the shell shows then.

    tab.py SETUP SHELL [ARG...] < LINES

SETUP is a line for the shell to read first. What is shown for a line is printed as one line, without
control sequences and with one blank for several.
"""
import os
import pty
import re
import select
import sys
import time

QUIET = 0.4  # seconds without output: the shell waits for keys
LIMIT = 100
MARK = "set-up-done"


def read_until(fd, done):
    """What the shell writes until done(text), or until it is quiet where `done` is None."""
    text, end, last = "", time.monotonic() + LIMIT, None
    while time.monotonic() < end:
        if select.select([fd], [], [], 0.05)[0]:
            try:
                data = os.read(fd, 65536)
            except OSError:
                break
            if not data:
                break
            text += data.decode(errors="replace")
            last = time.monotonic()
        if done and done(text):
            break
        if not done and last and time.monotonic() - last > QUIET:
            break
    return text


def cleaned(text):
    text = re.sub(r"\x1b(\[[0-9;?<=>]*[A-Za-z]|\][^\x07]*\x07|[=>()][0-9A-Z]?)|\x07", "", text)
    while re.search(r"[^\x08]\x08", text):
        text = re.sub(r"[^\x08]\x08", "", text)
    return re.sub(r"\s+", " ", text)


def main():
    setup, command = sys.argv[1], sys.argv[2:]
    pid, fd = pty.fork()
    if pid == 0:
        os.environ.update(TERM="xterm", COLUMNS="200", LINES="50")
        os.execvp(command[0], command)
    # The mark is typed in two parts, so that the echo of the line is not taken for it.
    os.write(fd, f"{setup}; echo {MARK[:3]}''{MARK[3:]}\r".encode())
    read_until(fd, lambda text: MARK in text)
    for line in sys.stdin.read().splitlines():
        if select.select([fd], [], [], QUIET)[0]:
            read_until(fd, None)
        os.write(fd, (line + "\t").encode())
        shown = read_until(fd, None)
        # Keys are taken one after another: when these are echoed the completion has ended.
        os.write(fd, b"@@")
        shown += read_until(fd, lambda text: text.count("@") >= 2)
        print(cleaned(shown.replace("@", "")))
        os.write(fd, b"\x15")
    os.write(fd, b"exit\r")
    read_until(fd, lambda text: False)
    os.close(fd)
    os.waitpid(pid, 0)


main()
