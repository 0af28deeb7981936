#!/usr/bin/python3
"""Runs a command on a terminal of its own and prints what a person would have received.

    terminal [-w COLUMNS] [-i TYPED] COMMAND [WORD...]
"""
import fcntl
import os
import pty
import select
import struct
import sys
import termios


def main():
    words = sys.argv[1:]
    columns, typed = 80, None
    while words and words[0] in ("-w", "-i"):
        if words[0] == "-w":
            columns = int(words[1])
        else:
            typed = words[1]
        words = words[2:]
    terminal, side = pty.openpty()
    fcntl.ioctl(side, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    silent = termios.tcgetattr(side)
    silent[3] &= ~termios.ECHO  # what is typed would come back at any moment
    termios.tcsetattr(side, termios.TCSANOW, silent)
    child = os.fork()
    if child == 0:
        os.close(terminal)
        os.login_tty(side)
        os.execvp(words[0], words)
    # The command's side stays open here: with the last one closed, what was not read yet may be lost. An end of our own
    # says where the command's output ends.
    gone = os.pidfd_open(child)
    received, end = b"", b"\0end\0"
    while not received.endswith(end):
        if typed is not None and received:  # the question was asked
            os.write(terminal, typed.encode() + b"\n")
            typed = None
        ready, _, _ = select.select([terminal] + ([gone] if gone is not None else []), [], [])
        if gone in ready and terminal not in ready:
            os.write(side, end)
            gone = None
        if terminal in ready:
            received += os.read(terminal, 65536)
    received = received[: -len(end)]
    _, status = os.waitpid(child, 0)
    sys.stdout.buffer.write(received.replace(b"\r\n", b"\n"))
    return os.waitstatus_to_exitcode(status)


if __name__ == "__main__":
    sys.exit(main())
