// The schema, as steps that are only ever added to; the outcome is dumped into schema.sql.
import { step1 } from './migration-1.ts'
import { step2 } from './migration-2.ts'
import { step3 } from './migration-3.ts'
import { step4 } from './migration-4.ts'
import { step5 } from './migration-5.ts'

/** Step n brings a store from schema n to schema n + 1. A step that was released never changes. */
export const migrations: readonly string[] = [step1, step2, step3, step4, step5]
