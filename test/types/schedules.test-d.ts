// What the types say of schedules; checked by the compiler, never executed.
import { schedule, worker, workflow, type Troupe } from 'troupe'

declare const troupe: Troupe

const rule = { cron: '0 3 * * *', zone: 'Europe/Berlin', overlap: 'buffer-one' } as const
const takesText = worker('takes-text', {}, (_ctx, text: string) => text.length)
const takesNothing = workflow('takes-nothing', {}, async () => 5)
const mayTake = worker('may-take', {}, (_ctx, text?: string) => text)
const takesAnything = worker('takes-anything', {}, (_ctx, input: unknown) => input)

schedule('a', rule, takesText, 'text')
schedule('a', rule, takesNothing)
schedule('a', rule, mayTake)
schedule('a', rule, mayTake, 'text')
schedule('a', rule, takesAnything, { any: 'thing' })
schedule('a', rule, 'by-name', { any: 'thing' })
void troupe.schedule('a', { every: '5m', from: new Date() }, takesText, 'text')
void troupe.schedule('a', { at: 1 }, 'by-name')
void troupe.register(schedule('a', rule, takesText, 'text'))

// @ts-expect-error it takes a text
schedule('a', rule, takesText, 5)
// @ts-expect-error it takes a text
schedule('a', rule, takesText)
// @ts-expect-error it takes nothing
schedule('a', rule, takesNothing, 5)
// @ts-expect-error it takes a text
void troupe.schedule('a', rule, takesText, 5)
// @ts-expect-error no such policy
schedule('a', { every: '5m', overlap: 'queue' }, takesNothing)
