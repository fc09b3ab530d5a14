import { PermanentError } from 'troupe'
import { crashEverywhere, recordEffects, testTroupe, type StepMocks } from 'troupe/testing'
import { expect, it } from 'vitest'
import { printedBy } from '../printed.ts'
import { sendMail, subscription } from './subscription.ts'

const ann = { email: 'ann@example.org', card: '4242' }

it('costs nothing when it is cancelled in the first month', async () => {
  await using kit = await testTroupe({ definitions: [subscription, sendMail] })
  const handle = await kit.troupe.call(subscription, ann)
  await kit.clock.advance('29d')
  await handle.tell('cancel')
  expect(await handle.result()).toBe('cancelled before it cost anything')
  expect(kit.logs.map(({ text }) => text)).toEqual(['welcome', 'three days are left'])
})

it('tries a card for days before it gives up, and says so', async () => {
  let charges = 0
  const steps: StepMocks = {
    'months[*]/charge': () => {
      charges += 1
      if (charges > 2) throw new Error('the bank is closed')
      return 'receipt'
    },
  }
  await using kit = await testTroupe({ definitions: [subscription, sendMail], steps })
  expect(await kit.troupe.run(subscription, ann)).toBe('ended in month 3: the bank is closed')
  expect([charges, kit.logs.at(-1)?.text]).toEqual([6, 'the bank is closed'])
})

it('charges once a month, wherever its process dies', { timeout: 60_000 }, async () => {
  const effects = recordEffects()
  const { outcome } = await crashEverywhere(subscription, ann, {
    definitions: [sendMail],
    effects,
    steps: {
      'months[*]/charge': ({ path }) => {
        effects.note('charge', path)
        if (path.startsWith('months[3]')) throw new PermanentError('the card has ended')
      },
    },
    mocks: { 'send-mail': ({ text }: { text: string }) => effects.note('mail', text) },
    points: 16,
  })
  expect(outcome).toEqual({ kind: 'succeeded', value: 'ended in month 3: the card has ended' })
})

it('is played in a second', { timeout: 60_000 }, async () => {
  expect(await printedBy(() => import('./main.ts'))).toEqual([
    'welcome',
    'three days are left',
    ...[1, 2, 3, 4, 5].map((month) => `month ${month} is paid`),
    'cancelled after 5 months, on day 170',
  ])
})
