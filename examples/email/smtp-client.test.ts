import { once } from 'node:events'
import { createServer, type AddressInfo, type Server } from 'node:net'
import { afterEach, expect, it } from 'vitest'
import { composed } from './message.ts'
import { sendMail, stuffed, type SmtpServer } from './smtp-client.ts'

const servers: Server[] = []
afterEach(() => {
  for (const server of servers.splice(0)) server.close()
})

/** A server that gives these answers, one for each thing it is told, in pieces of one byte when asked to. */
async function answering(answers: readonly string[], bytewise = false): Promise<SmtpServer> {
  const server = createServer((socket) => {
    const left = [...answers]
    const answer = (): void => {
      for (const piece of bytewise ? (left.shift() ?? '') : [left.shift() ?? '']) socket.write(piece)
    }
    socket.setNoDelay(true).on('error', () => undefined)
    // The mail itself comes in one piece here, as each command does.
    socket.on('data', answer)
    answer()
  }).listen(0, '127.0.0.1')
  servers.push(server)
  await once(server, 'listening')
  return { host: '127.0.0.1', port: (server.address() as AddressInfo).port }
}

const envelope = { from: 'a@example.org', to: 'b@example.org', message: 'Subject: x\r\n\r\ny\r\n' }
const patient = () => ({ signal: new AbortController().signal, silenceMs: 5_000 })

it('understands answers of many lines that come byte by byte', async () => {
  const ehlo = '250-here\r\n250-SIZE 10\r\n250 8BITMIME\r\n'
  const server = await answering(
    [
      '220-hello\r\n220 there\r\n',
      ehlo,
      '250\r\n',
      '250 ok\r\n',
      '354 go\r\n',
      '250-it\r\n250 is mine\r\n',
      '221 bye\r\n',
    ],
    true,
  )
  expect(await sendMail(server, envelope, patient())).toBe('it\nis mine')
})

it('tells a refusal from a connection that failed', async () => {
  const strict = await answering(['220 hello\r\n', '250 here\r\n', '552-too\r\n552 much\r\n'])
  await expect(sendMail(strict, envelope, patient())).rejects.toMatchObject({
    name: 'SmtpError',
    code: 552,
    message: '552 too\nmuch',
  })
  const other = await answering(['HTTP/1.1 400 Bad Request\r\n'])
  await expect(sendMail(other, envelope, patient())).rejects.toThrow('This is not SMTP: "HTTP/1.1 400 Bad Request"')
})

it('gives up on a server that says nothing, or never stops', async () => {
  const silent = await answering(['220 hello\r\n'])
  await expect(sendMail(silent, envelope, { ...patient(), silenceMs: 50 })).rejects.toThrow('said nothing for 50 ms')
  const endless = await answering([`220-${'x'.repeat(20_000)}`])
  await expect(sendMail(endless, envelope, patient())).rejects.toThrow('The answer of the server has no end')
})

it('counts a mail as delivered once it was taken, whatever follows', async () => {
  const rude = await answering([
    '220 a\r\n',
    '250 b\r\n',
    '250 c\r\n',
    '250 d\r\n',
    '354 e\r\n',
    '250 taken\r\n',
    '500 what\r\n',
  ])
  expect(await sendMail(rude, envelope, patient())).toBe('taken')
})

it('throws the reason of a signal that aborts, before and during', async () => {
  const reason = new Error('enough')
  const silent = await answering([''])
  await expect(sendMail(silent, envelope, { ...patient(), signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
  const abort = new AbortController()
  servers[0]?.once('connection', () => abort.abort(reason))
  await expect(sendMail(silent, envelope, { ...patient(), signal: abort.signal })).rejects.toBe(reason)
})

it('sends no address that would end its command', async () => {
  const bad = { ...envelope, to: 'b@example.org>\r\nRCPT TO:<eve@example.org' }
  await expect(sendMail({ host: '127.0.0.1', port: 1 }, bad, patient())).rejects.toThrow(TypeError)
})

it('doubles the dot at the beginning of each line, and ends the last', () => {
  expect(stuffed('.a\r\n..b\r\n.\r\n.\r\nc.d\r\n')).toBe('..a\r\n...b\r\n..\r\n..\r\nc.d\r\n')
  expect(stuffed('no end')).toBe('no end\r\n')
})

it('writes what is not plain ASCII so that every server can carry it', () => {
  const subject = 'Grüße aus Århus – ein langer Betreff 🎉'
  const text = `Füße\n${'x'.repeat(2_000)}`
  const date = new Date('2026-03-01T12:00:00Z')
  const written = composed({ from: 'a@example.org', to: 'b@example.org', subject, text, date }, '<1@x>')
  expect(written).toMatch(/^[\r\n -~]*$/)
  expect(Math.max(...written.split('\r\n').map((line) => line.length))).toBe(76)
  const [head = '', body = ''] = written.split('\r\n\r\n')
  const words = [...head.matchAll(/=\?utf-8\?B\?(.*?)\?=/g)].map(([, word = '']) =>
    Buffer.from(word, 'base64').toString(),
  )
  expect(words.join('')).toBe(subject)
  expect(Buffer.from(body, 'base64').toString()).toBe(`${text.replace('\n', '\r\n')}\r\n`)
})
