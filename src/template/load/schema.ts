// The JSON Schema of the native form, for editors: made of the same shapes that templates are checked with.
import { templateShape, stepShape } from './native-shape.ts'

/** What template.schema.json holds. */
export function templateSchema(): Readonly<Record<string, unknown>> {
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: 'Template of Troupe',
    description: 'A workflow as data. Texts may hold expressions: ${{ input.order.total > 100 }}.',
    ...templateShape.schema,
    $defs: { step: stepShape.schema },
  }
}
