// The forms of codecs, each with its proof.
import type { Proof } from '../../model/codecs/proof.ts'
import type { CodingStore } from '../codings.ts'
import type { Access } from './database/transaction.ts'

// A table of a few rows.
const findCodings = `select form, proof from coding order by used desc`

// By its primary key.
const useCoding = `
insert into coding (form, proof, used) values (?, ?, (select coalesce(max(used), 0) + 1 from coding))
on conflict (form) do update set used = excluded.used`

export class SqlCodingStore implements CodingStore {
  readonly #access: Access

  constructor(access: Access) {
    this.#access = access
  }

  async list(): Promise<Proof[]> {
    const { db, read } = this.#access
    return read(() => db.all<Proof>(findCodings))
  }

  async use({ form, proof }: Proof): Promise<void> {
    const { db, write } = this.#access
    await write(() => db.run(useCoding, form, proof))
  }
}
