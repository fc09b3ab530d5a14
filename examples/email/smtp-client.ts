// Delivers a mail by SMTP (RFC 5321), over a connection of its own.
import { connect, type Socket } from 'node:net'

export interface SmtpServer {
  readonly host: string
  readonly port: number
}

export interface Envelope {
  readonly from: string
  readonly to: string
  /** Headers and body; lines end with CRLF. */
  readonly message: string
}

export interface Limits {
  readonly signal: AbortSignal
  /** How long the server may say nothing. */
  readonly silenceMs: number
}

interface Reply {
  readonly code: number
  readonly text: string
}

type Say = (command: string, expected: number) => Promise<Reply>

/** A server that refused: 4xx for now, 5xx for good. */
export class SmtpError extends Error {
  override readonly name = 'SmtpError'
  readonly code: number

  constructor({ code, text }: Reply) {
    super(`${code} ${text}`)
    this.code = code
  }
}

const longestReply = 10_000

/**
 * Resolves with the server's words once it has taken the mail.
 *
 * Throws: `SmtpError` when it refused; the error of the connection, which leaves open whether the mail was taken; the reason of the signal.
 */
export async function sendMail(server: SmtpServer, envelope: Envelope, limits: Limits): Promise<string> {
  const { from, to, message } = envelope
  for (const address of [from, to]) {
    if (/[\s<>]/.test(address)) throw new TypeError(`'${address}' cannot be an address: it would end the command`)
  }
  limits.signal.throwIfAborted()
  const socket = connect(server)
  const giveUp = (): unknown => socket.destroy(limits.signal.reason as Error)
  limits.signal.addEventListener('abort', giveUp)
  socket.setTimeout(limits.silenceMs, () => {
    socket.destroy(new Error(`${server.host}:${server.port} said nothing for ${limits.silenceMs} ms`))
  })
  try {
    const say = conversation(socket)
    await say('', 220)
    await say('EHLO localhost\r\n', 250)
    await say(`MAIL FROM:<${from}>\r\n`, 250)
    await say(`RCPT TO:<${to}>\r\n`, 250)
    await say('DATA\r\n', 354)
    const taken = await say(`${stuffed(message)}.\r\n`, 250)
    // It is delivered: what becomes of the farewell changes nothing.
    await say('QUIT\r\n', 221).catch(() => undefined)
    return taken.text
  } finally {
    limits.signal.removeEventListener('abort', giveUp)
    socket.destroy()
  }
}

/** A line that begins with a dot gets a second one, for a dot alone ends the mail. */
export function stuffed(message: string): string {
  const ended = message.endsWith('\r\n') ? message : `${message}\r\n`
  return ended.replace(/(^|\r\n)\./g, '$1..')
}

function conversation(socket: Socket): Say {
  const replies = repliesOf(socket)
  return async (command, expected) => {
    if (command !== '') socket.write(command)
    const { value: reply } = await replies.next()
    if (reply === undefined) throw new Error('The server closed the connection without an answer')
    if (reply.code !== expected) throw new SmtpError(reply)
    return reply
  }
}

/** A reply may have many lines, and come in pieces: `250-` goes on, `250 ` is the last. */
async function* repliesOf(socket: Socket): AsyncGenerator<Reply, undefined> {
  let received = ''
  let lines: string[] = []
  for await (const piece of socket.setEncoding('utf8')) {
    received += piece as string
    const complete = received.split('\n')
    received = complete.pop() ?? ''
    for (const line of complete.map((text) => text.replace(/\r$/, ''))) {
      const [, code, isMore, text = ''] = /^(\d{3})(?:(-)| |$)(.*)$/.exec(line) ?? []
      if (code === undefined) throw new Error(`This is not SMTP: ${JSON.stringify(line.slice(0, 80))}`)
      lines.push(text)
      if (isMore !== undefined) continue
      yield { code: Number(code), text: lines.join('\n') }
      lines = []
    }
    if (received.length + lines.join('').length > longestReply) throw new Error('The answer of the server has no end')
  }
  return undefined
}
