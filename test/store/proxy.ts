// A proxy before a server: it passes on what comes, cuts a connection where a test wants it, and falls silent while a test wants that.
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net'

/** What is to happen to a connection when a piece of a client's talk is seen. */
export type Cut = 'before' | 'after'

/** Which way nothing passes: to the server, to the clients, or both. */
export type Silence = 'up' | 'down' | 'both'

interface Armed {
  readonly word: string
  readonly cut: Cut
  readonly saidBefore: string
  readonly done: () => void
}

interface Link {
  readonly client: Socket
  readonly server: Socket
  /** Whether the client has said what the trap asks for. */
  hasSaid: boolean
}

export class Proxy {
  readonly #server: Server
  readonly #target: URL
  readonly #links = new Set<Link>()
  #armed: Armed | undefined
  #silence: Silence | undefined
  /** How many connections were cut. */
  cuts = 0

  private constructor(target: URL) {
    this.#target = target
    this.#server = createServer({ noDelay: true }, (client) => this.#join(client))
  }

  /** Listens before the server of this URL, at this address of the machine. */
  static async before(url: string, address = '127.0.0.1'): Promise<Proxy> {
    const proxy = new Proxy(new URL(url))
    await new Promise<void>((resolve) => proxy.#server.listen(0, address, resolve))
    return proxy
  }

  /** The URL of the server through this proxy. */
  get url(): string {
    const { address, port } = this.#server.address() as AddressInfo
    const url = new URL(this.#target)
    url.hostname = address
    url.port = String(port)
    return url.href
  }

  /**
   * Cuts the next connection on which a client says this: before it is passed on, or after that and before any answer.
   * Only one on which `saidBefore` was said, when that is given. Resolves when it is cut; another trap takes the place of this one.
   */
  arm(word: string, cut: Cut, saidBefore = ''): Promise<void> {
    return new Promise((done) => (this.#armed = { word, cut, saidBefore, done }))
  }

  /** Passes nothing on that way, of connections that are there and that come, and closes none. */
  silence(way: Silence): void {
    this.#silence = way
    for (const link of this.#links) this.#quieten(link)
  }

  /** Passes on all that came meanwhile, to each client in one piece. */
  speak(): void {
    this.#silence = undefined
    for (const { client, server } of this.#links) {
      client.cork()
      for (const socket of [client, server]) socket.resume()
      // What lies in the system is read between the first turn and the second.
      setImmediate(() => setImmediate(() => client.uncork()))
    }
  }

  async close(): Promise<void> {
    for (const { client, server } of this.#links) for (const socket of [client, server]) socket.destroy()
    await new Promise((resolve) => this.#server.close(resolve))
  }

  #join(client: Socket): void {
    const [port, host] = [Number(this.#target.port), this.#target.hostname]
    // As the driver does: what waits for more to send is 40 ms late.
    const server = connect({ port, host, noDelay: true })
    const link: Link = { client, server, hasSaid: false }
    this.#links.add(link)
    for (const socket of [client, server]) socket.on('error', () => {})
    client.on('data', (data) => this.#pass(link, data))
    server.on('data', (data) => client.write(data))
    client.on('close', () => {
      server.end()
      this.#links.delete(link)
    })
    server.on('close', () => client.destroy())
    this.#quieten(link)
  }

  #quieten({ client, server }: Link): void {
    if (this.#silence === 'up' || this.#silence === 'both') client.pause()
    if (this.#silence === 'down' || this.#silence === 'both') server.pause()
  }

  #pass(link: Link, data: Buffer): void {
    const armed = this.#armed
    if (armed !== undefined && data.includes(armed.saidBefore)) link.hasSaid = true
    if (armed === undefined || !data.includes(armed.word) || !(armed.saidBefore === '' || link.hasSaid)) {
      link.server.write(data)
      return
    }
    this.#armed = undefined
    this.cuts += 1
    link.client.destroy()
    if (armed.cut === 'after') link.server.end(data)
    else link.server.destroy()
    armed.done()
  }
}
