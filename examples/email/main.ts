// Four mails through a mail server that is busy, strict and forgetful: each arrives once, or is refused for good.
//
//   node --import jiti/register examples/email/main.ts
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Troupe } from 'troupe'
import { SmtpSink } from './smtp-sink.ts'
import { sendEmail } from './workers/send-email.ts'

const people = ['ann', 'ben', 'cleo', 'dora']
const sink = await SmtpSink.open({ busy: 'ben@example.org', unknown: 'cleo@example.org', lossy: 'dora@example.org' })
const folder = await mkdtemp(join(tmpdir(), 'troupe-email-'))
const troupe = await Troupe.open({
  store: `sqlite:${join(folder, 'troupe.db')}`,
  definitions: [sendEmail],
  // A program of yours gives its own server here.
  config: { smtp: sink.address },
})
await troupe.start()

const handles = await Promise.all(people.map((name) => troupe.call(sendEmail, welcome(name))))
for (const [index, handle] of handles.entries()) {
  console.log(`${people[index]}:`)
  for await (const message of handle) {
    const { attempt, ...told } = message as { attempt: number; status: string; answer?: string; why?: string }
    console.log(`  attempt ${attempt}: ${told.status}: ${told.answer ?? told.why}`)
  }
  const { state } = await handle.status()
  console.log(`  ${state}`)
}
console.log(`the server keeps ${sink.mails.length} mails and was sent ${sink.repeated.length} of them again`)

await troupe.stop()
await sink.close()
await rm(folder, { recursive: true })

function welcome(name: string) {
  return {
    from: 'shop@example.org',
    to: `${name}@example.org`,
    subject: `Welcome, ${name}!`,
    text: 'Thanks for registering.\n.\nThat dot is part of the text.\n',
    date: new Date('2026-03-01T12:00:00Z'),
  }
}
