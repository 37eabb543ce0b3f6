"""A service that starts fast and is as bad as its release.json says; what it must not need is left out."""

import json
import os
import signal
import socket
import sys
import threading
import time

ME, FLEET = os.environ["DEPLOYGATE_INSTANCE"], os.environ["FLEET"]
with open("release.json") as file:
    release = json.load(file)
release |= release.get("at", {}).get(ME, {})
version = release["version"]
boot = f"{os.getpid()}-{time.time()}"
asked: list[str] = []


def ill() -> bool:
    asked.append(ME)
    if "ill_unless" in release and not os.path.exists(f"{FLEET}/{release['ill_unless']}"):
        return True
    return len(asked) > release.get("ill_after", 1 << 30) or os.path.exists(f"{FLEET}/ill/{ME}-{version}")


def answer(path: str) -> tuple[str, dict[str, str], str]:
    kind = {"Content-Type": "application/json"}
    if path == "/version":
        body = {"version": release.get("says", version), "boot": boot, "instance": ME}
        return "200 OK", kind, json.dumps(body)
    if ill():
        return "503 Unavailable", kind, json.dumps({"status": release.get("moans", "fail")})
    match release.get("odd"):
        case "redirects":
            return "302 Found", kind | {"Location": "/version"}, ""
        case "aged":
            return "200 OK", kind | {"Age": "7"}, '{"status": "pass"}'
        case "page":
            return "200 OK", {"Content-Type": "text/html"}, "<html>Please log in</html>"
        case "huge":
            return "200 OK", kind, json.dumps({"status": "pass", "pad": "x" * 200_000})
        case "login":
            return "401 Unauthorized", kind, "{}"
    return "200 OK", kind, '{"status": "pass"}'


def serve(connection: socket.socket) -> None:
    with connection:
        request = b""
        while b"\r\n\r\n" not in request:
            more = connection.recv(4096)
            if not more:
                return
            request += more
        path = request.split(b" ")[1].decode()
        status, headers, body = answer(path)
        head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        head = f"HTTP/1.1 {status}\r\n{head}Content-Length: {len(body)}\r\nConnection: close\r\n\r\n"
        connection.sendall(head.encode())
        drips = release.get("odd") == "drips" and path == "/health"
        for at in range(0, len(body), 1 if drips else len(body) or 1):
            connection.sendall(body[at:].encode()[: 1 if drips else None])
            time.sleep(0.1 if drips else 0)


def misbehave() -> None:
    """Do what this release does before it listens."""
    for name in release.get("leaves", []):
        with open(name, "w") as file:
            file.write("left behind\n")
    for name in release.get("makes_ill", []):
        open(f"{FLEET}/ill/{name}", "w").close()
    if "dies" in release:
        sys.stderr.write(release["dies"] + "\n")
        sys.exit(3)
    time.sleep(release.get("slow", 0))
    if release.get("hides") and not os.environ.get("HIDDEN"):
        hidden = {"DEPLOYGATE_INSTANCE": ME, "FLEET": FLEET, "HIDDEN": "yes"}
        os.posix_spawn(sys.executable, [sys.executable, "-I", "-S", *sys.argv], hidden, setsid=True)
        threading.Event().wait()
    if release.get("silent"):
        threading.Event().wait()
    if release.get("forks") and os.fork():
        os._exit(0)
    if release.get("forks") == "away":
        os.setsid()


def main() -> None:
    host, port = sys.argv[1], int(sys.argv[2])
    if release.get("stubborn"):
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    print(f"{version} as {ME} on {port}", flush=True)
    misbehave()
    with socket.socket() as door:
        door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        door.bind((host, port))
        door.listen(64)
        if release.get("orphan") and not os.fork():
            door.close()
            threading.Event().wait()
        if release.get("child") and not os.fork():
            os.setsid()
        while True:
            threading.Thread(target=quiet, args=(door.accept()[0],), daemon=True).start()


def quiet(connection: socket.socket) -> None:
    try:
        serve(connection)
    except OSError:
        pass  # whoever asked has hung up


main()
