import { once } from 'node:events'
import { createServer, type AddressInfo, type Socket } from 'node:net'
import { Troupe } from 'troupe'
import { afterEach, expect, it } from 'vitest'
import { printedBy } from '../printed.ts'
import { SmtpSink } from './smtp-sink.ts'
import { sendEmail } from './workers/send-email.ts'

const closing: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
})

async function engine(smtp: { host: string; port: number }): Promise<Troupe> {
  const troupe = await Troupe.open({ store: 'sqlite::memory:', definitions: [sendEmail], config: { smtp } })
  closing.push(() => troupe.stop({ within: '1s' }))
  return troupe.start()
}

async function sinkWith(moods: Parameters<typeof SmtpSink.open>[0]): Promise<SmtpSink> {
  const sink = await SmtpSink.open(moods)
  closing.push(() => sink.close())
  return sink
}

const mail = {
  from: 'shop@example.org',
  to: 'ann@example.org',
  subject: 'Your order',
  text: 'Dear Ann,\n.\n..two dots\nBye\n',
  date: new Date('2026-03-01T12:00:00Z'),
}

it('delivers a mail byte for byte, with its run as the Message-ID', async () => {
  const sink = await sinkWith({})
  const troupe = await engine(sink.address)
  const handle = await troupe.call(sendEmail, mail)
  expect(await handle.result()).toEqual({ messageId: `<${handle.id}@troupe.example>`, answer: '2.0.0 Kept' })
  expect(sink.mails.map(({ from, to, bytes }) => ({ from, to, text: bytes.toString() }))).toEqual([
    {
      from: 'shop@example.org',
      to: 'ann@example.org',
      text: [
        'From: <shop@example.org>',
        'To: <ann@example.org>',
        'Subject: Your order',
        'Date: Sun, 01 Mar 2026 12:00:00 +0000',
        `Message-ID: <${handle.id}@troupe.example>`,
        'MIME-Version: 1.0',
        'Content-Type: text/plain; charset=utf-8',
        'Content-Transfer-Encoding: 7bit',
        '',
        'Dear Ann,',
        '.',
        '..two dots',
        'Bye',
        '',
      ].join('\r\n'),
    },
  ])
  expect(sink.heard).toEqual([
    'EHLO localhost',
    'MAIL FROM:<shop@example.org>',
    'RCPT TO:<ann@example.org>',
    'DATA',
    'QUIT',
  ])
})

it('tries again when the server is busy, and says what it was told', async () => {
  const sink = await sinkWith({ busy: 'ann@example.org' })
  const troupe = await engine(sink.address)
  const handle = await troupe.call(sendEmail, mail)
  await handle.result()
  const attempts = await troupe.attempts(handle.id)
  expect(attempts.map(({ attempt, error }) => [attempt, error.message])).toEqual([
    [1, '451 4.7.1 Come back a little later'],
  ])
  expect(sink.mails).toHaveLength(1)
})

it('fails at once when the server refuses for good', async () => {
  const sink = await sinkWith({ unknown: 'ann@example.org' })
  const troupe = await engine(sink.address)
  const handle = await troupe.call(sendEmail, mail)
  await expect(handle.result()).rejects.toMatchObject({ code: 'permanent', message: '550 5.1.1 No such person here' })
  expect(sink.heard.filter((command) => command === 'EHLO localhost')).toHaveLength(1)
  expect(sink.mails).toEqual([])
})

it('sends the same bytes again when the answer was lost, and the server keeps one', async () => {
  const sink = await sinkWith({ lossy: 'ann@example.org' })
  const troupe = await engine(sink.address)
  const handle = await troupe.call(sendEmail, mail)
  expect((await handle.result()).answer).toBe('2.0.0 I have this one already')
  expect(sink.mails).toHaveLength(1)
  expect(sink.repeated).toEqual([`<${handle.id}@troupe.example>`])
})

it('hangs up when the run is cancelled', async () => {
  const silent = createServer().listen(0, '127.0.0.1')
  closing.push(async () => silent.close())
  await once(silent, 'listening')
  const troupe = await engine({ host: '127.0.0.1', port: (silent.address() as AddressInfo).port })
  const connection = once(silent, 'connection') as Promise<[Socket]>
  const handle = await troupe.call(sendEmail, mail)
  const [socket] = await connection
  const hungUp = once(socket.resume(), 'close')
  expect(await handle.cancel('not needed any more')).toBe(true)
  await hungUp
  expect((await handle.status()).state).toBe('cancelled')
})

it.each([
  ['an address that is none', { to: 'ann' }],
  ['an address that would end the command', { to: 'ann@example.org>\r\nRCPT TO:<eve@example.org' }],
  ['a subject that would add a header', { subject: 'Hello\r\nBcc: eve@example.org' }],
])('refuses %s before anything is stored', async (_, fault) => {
  const troupe = await engine({ host: '127.0.0.1', port: 1 })
  await expect(troupe.call(sendEmail, { ...mail, ...fault })).rejects.toMatchObject({ code: 'validation_failed' })
  expect(await troupe.runs()).toEqual([])
})

it('prints what became of each mail', async () => {
  expect(await printedBy(() => import('./main.ts'))).toEqual([
    'ann:',
    '  attempt 1: sent: 2.0.0 Kept',
    '  succeeded',
    'ben:',
    '  attempt 1: not sent: 451 4.7.1 Come back a little later',
    '  attempt 2: sent: 2.0.0 Kept',
    '  succeeded',
    'cleo:',
    '  attempt 1: not sent: 550 5.1.1 No such person here',
    '  failed',
    'dora:',
    '  attempt 1: not sent: The server closed the connection without an answer',
    '  attempt 2: sent: 2.0.0 I have this one already',
    '  succeeded',
    'the server keeps 3 mails and was sent 1 of them again',
  ])
})
