"""Start Python programs without waiting for their imports; runner.py does so on Linux.

`prefork.py serve SOCKET MODULE …` imports the modules once and forks itself for every client, until
its standard input ends.
`prefork.py SOCKET PROGRAM …` is the client, used in place of `python PROGRAM …`: the fork gets its
files, folder and environment, gives it the exit code, and ends when it is killed.
"""

import json
import os
import select
import signal
import socket
import sys
import threading


def serve(path: str, modules: list[str]) -> None:
    """Fork a program for every client."""
    for name in modules:
        __import__(name)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for the forks
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(path)
        listener.listen()
        print("ready", flush=True)
        while listener in select.select([listener, sys.stdin], [], [])[0]:
            client, _ = listener.accept()
            if os.fork() == 0:
                listener.close()
                if os.fork() == 0:  # a program that ends its parent does not end this one
                    run(client)
                os._exit(0)
            client.close()


def run(client: socket.socket) -> None:
    """Be the client's program, then exit."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    os.setsid()  # so that what the program starts can be ended with it
    _, files, _, _ = socket.recv_fds(client, 1, 3)
    for number, file in enumerate(files):
        os.dup2(file, number)
        os.close(file)
    with client.makefile(encoding="utf-8") as order:
        arguments, folder, environment = json.loads(order.readline())
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    threading.Thread(target=exit_with, args=(client,), daemon=True).start()
    client.sendall(bytes([execute(arguments, folder)]))
    os.killpg(0, signal.SIGKILL)


def exit_with(client: socket.socket) -> None:
    """End the program, and what it has started, when the client is gone."""
    client.recv(1)
    os.killpg(0, signal.SIGKILL)


def execute(arguments: list[str], folder: str) -> int:
    """Run a script, or a module after -m, as python does; give the exit code."""
    import runpy
    import traceback

    try:
        if arguments[0] == "-m":
            sys.argv, sys.path[0] = arguments[1:], folder
            runpy.run_module(arguments[1], run_name="__main__", alter_sys=True)
        else:
            sys.argv, sys.path[0] = arguments, os.path.dirname(arguments[0])
            runpy.run_path(arguments[0], run_name="__main__")
    except SystemExit as end:
        if isinstance(end.code, str):
            print(end.code, file=sys.stderr)
            return 1
        return (end.code or 0) & 255  # as the operating system cuts it: -1 is 255
    except BaseException:  # noqa: BLE001 - the top of a program: python itself would print it
        traceback.print_exc()
        return 1
    return 0


def ask(path: str, arguments: list[str]) -> int:
    """Have a program run on this process's own files; give its exit code."""
    with socket.socket(socket.AF_UNIX) as server:
        server.connect(path)
        socket.send_fds(server, [b" "], [0, 1, 2])
        order = json.dumps([arguments, os.getcwd(), dict(os.environ)])
        server.sendall(order.encode() + b"\n")
        code = server.recv(1)
    return code[0] if code else 1


if __name__ == "__main__":
    if sys.argv[1] == "serve":
        serve(sys.argv[2], sys.argv[3:])
    else:
        sys.exit(ask(sys.argv[1], sys.argv[2:]))
