// A mail server for demos and tests: it listens on this machine only, keeps what it gets, and can be told to be difficult.
import { createServer, type Server, type Socket } from 'node:net'
import type { AddressInfo } from 'node:net'
import type { SmtpServer } from './smtp-client.ts'

export interface KeptMail {
  readonly from: string
  readonly to: string
  readonly bytes: Buffer
}

/** Addresses, and what they make the server do. */
export interface Moods {
  /** Refused for now, the first time. */
  readonly busy?: string
  /** Refused for good. */
  readonly unknown?: string
  /** The first mail is taken, and the connection lost before the server can say so. */
  readonly lossy?: string
}

export class SmtpSink {
  readonly mails: KeptMail[] = []
  /** Of mails that came again. */
  readonly repeated: string[] = []
  /** What was said to it, command by command. */
  readonly heard: string[] = []
  readonly #moods: Moods
  readonly #annoyed = new Set<string>()
  readonly #messageIds = new Set<string>()
  readonly #sockets = new Set<Socket>()
  readonly #server: Server

  private constructor(moods: Moods) {
    this.#moods = moods
    this.#server = createServer((socket) => this.#serve(socket))
  }

  static async open(moods: Moods = {}): Promise<SmtpSink> {
    const sink = new SmtpSink(moods)
    await new Promise<void>((resolve) => sink.#server.listen(0, '127.0.0.1', resolve))
    return sink
  }

  get address(): SmtpServer {
    return { host: '127.0.0.1', port: (this.#server.address() as AddressInfo).port }
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy()
    await new Promise((resolve) => this.#server.close(resolve))
  }

  #serve(socket: Socket): void {
    this.#sockets.add(socket)
    socket.on('close', () => this.#sockets.delete(socket))
    // A client that goes away in the middle is nothing to a server.
    socket.on('error', () => socket.destroy())
    const session = new Session(this, socket)
    // One character is one byte in latin1, whatever the mail is written in.
    socket.setEncoding('latin1').on('data', (piece: string) => session.receive(piece))
  }

  /** What is answered to this recipient. */
  recipient(to: string): string {
    if (to === this.#moods.unknown) return '550 5.1.1 No such person here'
    if (to === this.#moods.busy && this.#isFirst(to)) return '451 4.7.1 Come back a little later'
    return '250 2.1.5 Fine'
  }

  /** Keeps a mail, but not twice; undefined when the answer gets lost. */
  keep(mail: KeptMail): string | undefined {
    const messageId = /^Message-ID: (.*)$/im.exec(mail.bytes.toString('latin1'))?.[1] ?? ''
    if (messageId !== '' && this.#messageIds.has(messageId)) {
      this.repeated.push(messageId)
      return '250 2.0.0 I have this one already'
    }
    this.#messageIds.add(messageId)
    this.mails.push(mail)
    return mail.to === this.#moods.lossy && this.#isFirst(mail.to) ? undefined : '250 2.0.0 Kept'
  }

  #isFirst(address: string): boolean {
    const isFirst = !this.#annoyed.has(address)
    this.#annoyed.add(address)
    return isFirst
  }
}

/** One connection: commands line by line, until DATA makes everything up to a lonely dot a mail. */
class Session {
  readonly #sink: SmtpSink
  readonly #socket: Socket
  #received = ''
  #from = ''
  #to = ''
  #isMail = false

  constructor(sink: SmtpSink, socket: Socket) {
    this.#sink = sink
    this.#socket = socket
    this.#answer('220 sink.example ready')
  }

  receive(piece: string): void {
    this.#received += piece
    while (this.#isMail ? this.#takeMail() : this.#takeCommand());
  }

  #takeCommand(): boolean {
    const end = this.#received.indexOf('\r\n')
    if (end < 0) return false
    const command = this.#received.slice(0, end)
    this.#received = this.#received.slice(end + 2)
    this.#sink.heard.push(command)
    this.#obey(command)
    return true
  }

  #obey(command: string): void {
    const [, verb = '', address = ''] = /^(EHLO|MAIL FROM:|RCPT TO:|DATA|QUIT)\s*<?([^<>]*)>?/i.exec(command) ?? []
    switch (verb.toUpperCase()) {
      case 'EHLO':
        return this.#answer('250-sink.example greets you', '250-8BITMIME', '250 SIZE 1000000')
      case 'MAIL FROM:':
        this.#from = address
        return this.#answer('250 2.1.0 Fine')
      case 'RCPT TO:':
        this.#to = address
        return this.#answer(this.#sink.recipient(address))
      case 'DATA':
        this.#isMail = true
        return this.#answer('354 End with a dot on a line of its own')
      case 'QUIT':
        this.#answer('221 2.0.0 Bye')
        return void this.#socket.end()
      default:
        return this.#answer('500 5.5.2 I do not know that')
    }
  }

  #takeMail(): boolean {
    // The CRLF before the dot belongs to the mail; one that is empty begins with the dot.
    const isEmpty = this.#received.startsWith('.\r\n')
    const end = isEmpty ? -2 : this.#received.indexOf('\r\n.\r\n')
    if (end === -1) return false
    const stuffed = this.#received.slice(0, end + 2)
    this.#received = this.#received.slice(end + 5)
    this.#isMail = false
    const bytes = Buffer.from(stuffed.replace(/(^|\r\n)\.\./g, '$1.'), 'latin1')
    const answer = this.#sink.keep({ from: this.#from, to: this.#to, bytes })
    if (answer === undefined) this.#socket.destroy()
    else this.#answer(answer)
    return true
  }

  #answer(...lines: string[]): void {
    this.#socket.write(`${lines.join('\r\n')}\r\n`)
  }
}
