// The worker: one mail to one person, tried again for as long as that can help, and never delivered twice.
import { PermanentError, worker } from 'troupe'
import { z } from 'zod'
import { composed } from '../message.ts'
import { sendMail, SmtpError, type SmtpServer } from '../smtp-client.ts'

const Address = z.string().regex(/^[^\s<>@]+@[^\s<>@]+$/, 'Expected an address like ann@example.org')

const Email = z.object({
  from: Address,
  to: Address,
  // A line break would let whoever writes the subject add headers.
  subject: z
    .string()
    .max(200)
    .regex(/^[^\r\n]*$/, 'A subject is one line'),
  text: z.string(),
  /** When it was written: part of the mail, so every attempt sends the same bytes. */
  date: z.date(),
})

// The waits are those of a demo: a server that says "later" means minutes.
const retry = { attempts: 5, backoff: 'exponential', base: '40ms' } as const

export const sendEmail = worker('send-email', { input: Email, retry, timeout: '30s' }, async (ctx, mail) => {
  const server = ctx.config.get<SmtpServer>('smtp')
  // The same for every attempt: it is how the server tells a repetition from a second mail.
  const messageId = `<${ctx.idempotencyKey}@troupe.example>`
  ctx.info(`to ${mail.to}, attempt ${ctx.attempt}`)
  try {
    const envelope = { from: mail.from, to: mail.to, message: composed(mail, messageId) }
    const answer = await sendMail(server, envelope, { signal: ctx.signal, silenceMs: 10_000 })
    ctx.emit({ status: 'sent', attempt: ctx.attempt, answer })
    return { messageId, answer }
  } catch (error) {
    ctx.emit({ status: 'not sent', attempt: ctx.attempt, why: String((error as Error).message) })
    // 5xx is the server's last word; 4xx, and everything that can befall a connection, is worth another attempt.
    if (error instanceof SmtpError && error.code >= 500) throw new PermanentError(error.message, { cause: error })
    throw error
  }
})
