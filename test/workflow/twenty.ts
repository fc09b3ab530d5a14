// Twenty workflows that use all features together, as people would write them; what they do to the world they tell `effects`.
import { limiter, PermanentError, worker, workflow, type Definition } from '../../src/index.ts'
import type { CrashOptions } from '../../src/testing/crash-everywhere.ts'
import { cancelRun } from '../../src/testing/crash-trial.ts'
import { recordEffects } from '../../src/testing/effects.ts'

export interface Case {
  readonly workflow: Definition<never, unknown>
  readonly input?: unknown
  readonly options?: Omit<CrashOptions, 'effects' | 'points'>
  /** How it ends. */
  readonly ends: { readonly value: unknown } | { readonly error: string }
}

export const effects = recordEffects()
const note = (name: string, key?: unknown): void => effects.note(name, key)

const mail = worker('mail', { retry: { attempts: 3, base: '10s' } }, (ctx, to: string) => {
  note('mail', to)
  if (to === 'flaky' && ctx.attempt < 3) throw new Error('the server is busy')
  return `mailed ${to}`
})
const printer = limiter('printer', { concurrency: 1 })
const bank = limiter('bank', { rate: { limit: 2, per: '1m' } })

const orderFlow = workflow('order', {}, async (ctx, skus: string[]) => {
  const payment = await ctx.step('charge', () => note('charge', skus.length))
  const approval = await ctx.receive<string>('approve', { timeout: '3d' })
  const parcels = await ctx.map(
    'ship',
    skus,
    (sku, ctx) => ctx.step('pack', () => (note('pack', sku), sku.toUpperCase())),
    {
      key: String,
      concurrency: 2,
    },
  )
  await ctx.sleep('30d')
  return { payment, approval, parcels, mailed: await ctx.run(mail, 'ann') }
})

const reminders = workflow('reminders', {}, async (ctx) => {
  for (let week = 1; week <= 3; week++) {
    const answer = await ctx.receive<string>('answer', { timeout: '7d' })
    if (answer !== null) return `answered in week ${week}: ${answer}`
    await ctx.run(mail, `week ${week}`, { name: `mail ${week}` })
  }
  return 'gave up'
})

const race = workflow('race', {}, async (ctx) => {
  const first = await Promise.race([
    ctx.scope('slow', async (ctx) => {
      await ctx.sleep('2h')
      return ctx.step('work', () => note('slow'))
    }),
    ctx.scope('fast', async (ctx) => {
      await ctx.sleep('1h')
      return ctx.step('work', () => (note('fast'), 'fast'))
    }),
  ])
  await ctx.step('after', () => note('after', first))
  return first
})

const polling = workflow('polling', {}, (ctx) =>
  ctx.loop('poll', 0, async (turn, ctx) => {
    const isThere = await ctx.step('look', () => (note('look', turn), turn === 3))
    if (isThere) return { done: turn }
    await ctx.sleep('10m')
    return { again: turn + 1 }
  }),
)

const months = workflow('months', {}, async (ctx, month: number) => {
  await ctx.step('bill', () => note('bill', month))
  await ctx.sleep('30d')
  return month === 3 ? 'paid off' : ctx.continueAsNew(month + 1)
})

const saga = workflow('saga', {}, async (ctx) => {
  const done: string[] = []
  try {
    for (const what of ['flight', 'hotel', 'car']) {
      await ctx.step(`book ${what}`, () => {
        note('book', what)
        if (what === 'car') throw new PermanentError('no car is left')
      })
      done.unshift(what)
    }
    return 'booked'
  } catch (error) {
    for (const what of done) await ctx.step(`cancel ${what}`, () => note('cancel', what))
    return (error as Error).message
  }
})

const flaky = workflow('flaky', {}, (ctx) =>
  ctx.step(
    'try',
    ({ attempt }) => {
      note('try', attempt)
      if (attempt < 4) throw new Error('not yet')
      return attempt
    },
    { retry: { attempts: 5, backoff: 'exponential', base: '1h' } },
  ),
)

const broken = workflow('broken', {}, async (ctx) => {
  await ctx.step('first', () => note('first'))
  await ctx.step('break', () => {
    note('break')
    throw new PermanentError('it broke')
  })
})

const retried = workflow('retried', { retry: { attempts: 3, base: '1h' } }, async (ctx) => {
  await ctx.step('once', () => note('once'))
  if (ctx.attempt < 3) throw new Error('the code failed')
  return ctx.attempt
})

const timed = workflow('timed', {}, async (ctx) => {
  const tried = ctx.step('hang', () => (note('hang'), new Promise<never>(() => {})), {
    timeout: '1m',
    retry: { attempts: 2, base: '1m' },
  })
  return tried.catch(({ code }: { code: string }) => code)
})

const leaf = workflow('leaf', {}, async (ctx, n: number) => {
  await ctx.sleep(n * 1_000)
  return ctx.step('leaf', () => (note('leaf', n), n))
})
const tree = workflow('tree', {}, async (ctx, depth: number): Promise<number> => {
  if (depth === 0) return ctx.run(leaf, 7)
  const below = await Promise.all([
    ctx.run('tree', depth - 1, { name: 'left' }),
    ctx.run(leaf, depth, { name: 'right' }),
  ])
  return (below as number[]).reduce((sum, one) => sum + one, 0)
})

const fanOut = workflow('fan-out', {}, async (ctx, count: number) => {
  const results = await ctx.map(
    'each',
    Array.from({ length: count }, (_, index) => index),
    async (index, ctx) => {
      if (index % 3 === 1) throw new Error(`no ${index}`)
      return ctx.run(mail, index === 2 ? 'flaky' : `number ${index}`)
    },
    { concurrency: 3, onError: 'collect' },
  )
  return results.map(({ status }) => status)
})

const limited = workflow('limited', {}, async (ctx) => {
  const printed = await Promise.all(
    ['a', 'b', 'c'].map((page) => ctx.step(`print ${page}`, () => (note('print', page), page), { limits: [printer] })),
  )
  for (const sum of [1, 2, 3]) await ctx.step(`pay ${sum}`, () => note('pay', sum), { limits: [bank] })
  return printed.join('')
})

const values = workflow('values', {}, async (ctx) => {
  const [at, chance, id] = [await ctx.now(), await ctx.random(), await ctx.uuid()]
  const same = await ctx.step('use', () => (note('use'), { at, chance, id }))
  await ctx.sleep('1d')
  return same.at === at && same.chance === chance && same.id === id && (await ctx.now()) - at >= 86_400_000
})

const patched = workflow('patched', {}, async (ctx) => {
  const isNew = await ctx.patch('by-card')
  await ctx.step(isNew ? 'by card' : 'by bill', () => note(isNew ? 'card' : 'bill'))
  await ctx.sleep('1d')
  return ctx.step('done', () => (note('done'), isNew))
})

const signals = workflow('signals', {}, async (ctx) => {
  const [left, right] = await Promise.all([ctx.receive<number>('left'), ctx.receive<number>('right')])
  const third = await ctx.receive<number>('left')
  await ctx.step('sum', () => note('sum', (left ?? 0) + (right ?? 0) + (third ?? 0)))
  return [left, right, third]
})

const late = workflow('late', {}, async (ctx, id: string) => {
  await ctx.sleep('5d')
  await ctx.step('late', () => note('late', id))
})
const detaching = workflow('detaching', {}, async (ctx) => {
  await ctx.call(late, 'detached', { name: 'a', detached: true })
  await ctx.call(late, 'cancelled with its parent', { name: 'b' })
  await ctx.sleep('1d')
  return ctx.step('end', () => (note('end'), 'ended'))
})

const impatient = workflow('impatient', {}, async (ctx) => {
  const child = await ctx.call(late, 'given up')
  const code = await child.result({ timeout: '1d' }).catch(({ code }: { code: string }) => code)
  await ctx.step('mourn', () => note('mourn', code))
  return code
})

const cancelled = workflow('cancelled', {}, async (ctx) => {
  await ctx.step('begin', () => note('begin'))
  await ctx.call(late, 'never')
  await ctx.receive('stop')
  await ctx.step('never', () => note('never'))
})

const chatty = workflow('chatty', {}, async (ctx, words: string[]) => {
  for (const [index, word] of words.entries()) {
    ctx.info(`at ${word}`)
    ctx.emit({ word })
    ctx.progress(index, words.length)
    await ctx.step(word, () => note('say', word))
    await ctx.sleep('6s')
  }
  return words.length
})

const everything = workflow('everything', {}, async (ctx, n: number) => {
  const months = await ctx.loop('months', { month: 0, sum: 0 }, async ({ month, sum }, ctx) => {
    if (month === 2) return { done: sum }
    const bills = await ctx.map(
      'bill',
      ['a', 'b'],
      async (who, ctx) => {
        const paid = await Promise.race([ctx.receive<number>(`paid ${who}`), ctx.sleep('20d').then(() => 0)])
        if (paid === 0) await ctx.run(mail, `${who} owes`)
        return ctx.step('book', () => (note('book', `${who} ${month}`), paid ?? 0), {
          limits: [printer],
          retry: { attempts: 2 },
        })
      },
      { key: String },
    )
    await ctx.sleep('10d')
    return { again: { month: month + 1, sum: sum + bills.reduce((all, one) => all + one, 0) } }
  })
  return n === 1 ? ctx.continueAsNew(2) : { months, tree: await ctx.run(tree, 1) }
})

const yes = (
  workflowOf: Definition<never, unknown>,
  input: unknown,
  value: unknown,
  options: Case['options'] = {},
): Case => ({
  workflow: workflowOf,
  input,
  options: { definitions: [mail, leaf, tree, late], ...options },
  ends: { value },
})
const no = (workflowOf: Definition<never, unknown>, error: string, options: Case['options'] = {}): Case => ({
  ...yes(workflowOf, undefined, undefined, options),
  ends: { error },
})

export const twenty: readonly Case[] = [
  yes(
    orderFlow,
    ['a', 'b', 'c'],
    { payment: undefined, approval: 'bob', parcels: ['A', 'B', 'C'], mailed: 'mailed ann' },
    { messages: { approve: ['bob'] } },
  ),
  yes(reminders, undefined, 'gave up'),
  yes(race, undefined, 'fast'),
  yes(polling, undefined, 3),
  yes(months, 1, 'paid off'),
  yes(saga, undefined, 'no car is left'),
  yes(flaky, undefined, 4),
  no(broken, 'PermanentError: it broke'),
  yes(retried, undefined, 3),
  yes(timed, undefined, 'timed_out', { patience: 10 }),
  yes(tree, 2, 10),
  yes(fanOut, 5, ['fulfilled', 'rejected', 'fulfilled', 'fulfilled', 'rejected']),
  yes(limited, undefined, 'abc'),
  yes(values, undefined, true),
  yes(patched, undefined, true),
  yes(signals, undefined, [1, 2, 3], { messages: { left: [1, 3], right: [2] } }),
  yes(detaching, undefined, 'ended'),
  yes(impatient, undefined, 'result_timeout'),
  no(cancelled, 'TroupeError: ', { messages: { stop: [cancelRun] } }),
  yes(chatty, ['one', 'two'], 2),
  yes(everything, 1, { months: 7, tree: 8 }, { messages: { 'paid a': [5, 6, 7] } }),
]
