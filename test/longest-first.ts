// The order of the test files: those that take minutes begin first, so that no worker is left with one at the end.
import { BaseSequencer, type TestSpecification } from 'vitest/node'

/** What a fresh clone cannot know: it has no times of earlier runs and goes by the size of the files, and these are small. */
export const longest = [
  'test/store/conformance-postgres-18.test.ts',
  'test/store/conformance-postgres-15.test.ts',
  'test/crash/crash.test.ts',
  'test/workflow/tx.test.ts',
  'test/store/conformance.test.ts',
]

export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files)
    return sorted.toSorted((one, other) => placeOf(one) - placeOf(other))
  }
}

function placeOf({ moduleId }: TestSpecification): number {
  const place = longest.findIndex((path) => moduleId.endsWith(path))
  return place === -1 ? longest.length : place
}
