/** Counts round trips: how often a client speaks after the server did. Everything else goes through as it is. */
import net from "node:net";

export class Proxy {
  turns = 0;
  private readonly sockets = new Set<net.Socket>();

  private constructor(private readonly server: net.Server, readonly port: number) {}

  /** Listens on loopback, for a server at a port of a host, or at a socket in a folder. */
  static async before(host: string, port: number): Promise<Proxy> {
    const server = net.createServer();
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const proxy = new Proxy(server, (server.address() as net.AddressInfo).port);
    server.on("connection", (client) => proxy.join(client, host.startsWith("/")
      ? net.connect(`${host}/.s.PGSQL.${port}`) : net.connect(port, host)));
    return proxy;
  }

  private join(client: net.Socket, server: net.Socket): void {
    let spoke: "client" | "server" = "server";
    client.setNoDelay(true);
    client.on("data", (bytes) => {
      if (spoke === "server") {
        this.turns += 1;
      }
      spoke = "client";
      server.write(bytes);
    });
    server.on("data", (bytes) => {
      spoke = "server";
      client.write(bytes);
    });
    for (const [one, other] of [[client, server], [server, client]] as const) {
      this.sockets.add(one);
      one.on("close", () => {
        this.sockets.delete(one);
        other.destroy();
      });
      one.on("error", () => other.destroy());
    }
  }

  async close(): Promise<void> {
    for (const socket of this.sockets) {
      socket.destroy();
    }
    await new Promise((resolve) => this.server.close(resolve));
  }
}
