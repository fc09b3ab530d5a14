// Half a year of a subscription, played in a second.
//
//   node --import jiti/register examples/subscription/main.ts
import { testTroupe } from 'troupe/testing'
import { sendMail, subscription } from './subscription.ts'

await using kit = await testTroupe({ definitions: [subscription, sendMail] })
const started = kit.clock.now()
const handle = await kit.troupe.call(subscription, { email: 'ann@example.org', card: '4242' })
await kit.clock.advance('170d')
await handle.tell('cancel')
const end = await handle.result()
for (const { text } of kit.logs) console.log(text)
console.log(`${end}, on day ${Math.round((kit.clock.now() - started) / 86_400_000)}`)
