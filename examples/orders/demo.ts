// Two books are in stock and three are ordered; a gift is sent by SQL alone.
//
//   DATABASE_URL=postgres://localhost/shop node --import jiti/register examples/orders/demo.ts
import pg from 'pg'
import { Troupe } from 'troupe'
import { placeOrder, ship, tables } from './orders.ts'

const url = process.env['DATABASE_URL'] ?? 'postgres://localhost/shop'
await using troupe = await Troupe.open({ store: url, definitions: [ship] })
await troupe.start()
const client = new pg.Client({ connectionString: url })
await client.connect()
try {
  await client.query(tables)
  await client.query(`insert into stock values ('book', 2)`)
  for (const item of ['book', 'book', 'book']) {
    try {
      const handle = await placeOrder(troupe, client, item)
      console.log(await handle.result())
    } catch (error) {
      console.log(String(error))
    }
  }
  const { rows } = await client.query<{ run: string }>(`insert into gifts (item) values ('pen') returning run`)
  const gift = await troupe.handle(rows[0]?.run ?? '')
  console.log(await gift.result())
  const { length: parcels } = await troupe.runs({ name: 'ship' })
  console.log(`${parcels} parcels`)
} finally {
  await client.end()
}
