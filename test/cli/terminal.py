#!/usr/bin/python3
"""Runs a command on a terminal of its own and prints what a person would have received.

    terminal [-w COLUMNS] [-i TYPED] COMMAND [WORD...]
"""
import fcntl
import os
import pty
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
    child, terminal = pty.fork()
    if child == 0:
        fcntl.ioctl(1, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
        silent = termios.tcgetattr(0)
        silent[3] &= ~termios.ECHO  # what is typed would come back at any moment
        termios.tcsetattr(0, termios.TCSANOW, silent)
        os.execvp(words[0], words)
    received = b""
    while True:
        if typed is not None and received:  # the question was asked
            os.write(terminal, typed.encode() + b"\n")
            typed = None
        try:
            piece = os.read(terminal, 65536)
        except OSError:
            break
        if not piece:
            break
        received += piece
    _, status = os.waitpid(child, 0)
    sys.stdout.buffer.write(received.replace(b"\r\n", b"\n"))
    return os.waitstatus_to_exitcode(status)


if __name__ == "__main__":
    sys.exit(main())
