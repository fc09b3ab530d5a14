// A proxy before a server: it passes on what comes, and cuts a connection where a test wants it.
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net'

/** What is to happen to a connection when a piece of a client's talk is seen. */
export type Cut = 'before' | 'after'

export class Proxy {
  readonly #server: Server
  readonly #target: URL
  readonly #sockets = new Set<Socket>()
  #armed: { readonly word: string; readonly cut: Cut } | undefined
  /** How many connections were cut. */
  cuts = 0

  private constructor(target: URL) {
    this.#target = target
    this.#server = createServer((client) => this.#join(client))
  }

  /** Listens before the server of this URL. */
  static async before(url: string): Promise<Proxy> {
    const proxy = new Proxy(new URL(url))
    await new Promise<void>((resolve) => proxy.#server.listen(0, '127.0.0.1', resolve))
    return proxy
  }

  /** The URL of the server through this proxy. */
  get url(): string {
    const url = new URL(this.#target)
    url.port = String((this.#server.address() as AddressInfo).port)
    return url.href
  }

  /** Cuts the next connection on which a client says this: before it is passed on, or after that and before any answer. */
  arm(word: string, cut: Cut): void {
    this.#armed = { word, cut }
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy()
    await new Promise((resolve) => this.#server.close(resolve))
  }

  #join(client: Socket): void {
    const server = connect(Number(this.#target.port), this.#target.hostname)
    for (const socket of [client, server]) {
      this.#sockets.add(socket)
      socket.on('error', () => {})
      socket.on('close', () => this.#sockets.delete(socket))
    }
    const pass = (data: Buffer): void => this.#pass({ client, server }, data)
    client.on('data', pass)
    server.on('data', (data) => client.write(data))
    client.on('close', () => server.end())
    server.on('close', () => client.destroy())
  }

  #pass({ client, server }: { readonly client: Socket; readonly server: Socket }, data: Buffer): void {
    const armed = this.#armed
    if (armed === undefined || !data.includes(armed.word)) {
      server.write(data)
      return
    }
    this.#armed = undefined
    this.cuts += 1
    client.destroy()
    if (armed.cut === 'after') server.end(data)
    else server.destroy()
  }
}
