// A shop whose orders ship themselves: an order and the run that ships it are one transaction, whether a program places it or SQL.
import type pg from 'pg'
import { worker, type RunHandle, type Troupe } from 'troupe'

export interface Order {
  readonly id: number
  readonly item: string
}

/** The last order of an item takes the last of it: the database knows, and refuses the next. */
export const tables = `
create table stock (item text primary key, count integer not null check (count >= 0));
create table orders (id integer generated always as identity primary key, item text not null references stock);
create table gifts (id integer generated always as identity primary key, item text not null, run text);

create function ship_gift() returns trigger language plpgsql as $$
begin
  new.run := troupe.start_run('ship', jsonb_build_object('id', new.id, 'item', new.item || ' in paper'));
  return new;
end
$$;
create trigger ship before insert on gifts for each row execute function ship_gift();
`

export const ship = worker('ship', { retry: { attempts: 5, base: '1s' } }, async (_ctx, { id, item }: Order) => {
  return `parcel ${id}: ${item}`
})

/** Places an order, which is shipped if and only if it is there. */
export async function placeOrder(troupe: Troupe, client: pg.ClientBase, item: string): Promise<RunHandle<string>> {
  await client.query('begin')
  try {
    const { rows } = await client.query<{ id: number }>('insert into orders (item) values ($1) returning id', [item])
    const handle = await troupe.call(ship, { id: rows[0]?.id ?? 0, item }, { tx: client })
    await client.query('update stock set count = count - 1 where item = $1', [item])
    await client.query('commit')
    return handle
  } catch (error) {
    await client.query('rollback')
    throw error
  }
}
