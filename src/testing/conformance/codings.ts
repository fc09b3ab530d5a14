// The forms of codecs that values were written in.
import type { Store } from '../../store/store.ts'
import { same, type Cases } from './scene.ts'

export const codingCases: Cases = {
  'tells the one that was used last first': async ({ store }) => {
    await store.codings.use({ form: 'a', proof: 'j1' })
    await store.codings.use({ form: 'b', proof: 'j2' })
    same(await formsOf(store), ['b', 'a'])
    await store.codings.use({ form: '', proof: 'j3' })
    same(await formsOf(store), ['', 'b', 'a'])
    await store.codings.use({ form: 'a', proof: 'j1' })
    same(await formsOf(store), ['a', '', 'b'])
  },

  'keeps the first proof of each': async ({ store }) => {
    await store.codings.use({ form: 'a', proof: 'j1' })
    await store.codings.use({ form: 'a', proof: 'j2' })
    same((await store.codings.list())[0], { form: 'a', proof: 'j1' })
    same(await formsOf(store), ['a'])
  },
}

/** Without that of the codecs of the store, where it has some. */
async function formsOf({ codings }: Pick<Store, 'codings'>): Promise<string[]> {
  return (await codings.list()).map(({ form }) => form).filter((form) => form.length < 2)
}
