import { describe, expect, it } from 'vitest';
import { answerOf, fieldsOf } from '../../../src/web/form-fields.ts';

const schema = {
  type: 'object',
  required: ['street', 'floor'],
  properties: {
    street: { type: 'string', title: 'Street' },
    floor: { type: 'integer', minimum: 0 },
    best_time: { enum: ['morning', 'evening'] },
    parcels: { oneOf: [{ const: 1, title: 'One' }, { const: 2 }] },
    gift: { type: 'boolean' },
    note: { type: 'string', maxLength: 500 },
    tags: { type: 'array' },
  },
};

function filled(values: Record<string, string>): FormData {
  const data = new FormData();
  for (const [name, value] of Object.entries(values)) data.set(name, value);
  return data;
}

describe('forms from a schema', () => {
  it('knows what to ask for, and how', () => {
    expect(fieldsOf(schema).map(({ title, input, required }) => [title, input, required])).toEqual([
      ['Street', 'text', true],
      ['Floor', 'integer', true],
      ['Best time', 'choice', false],
      ['Parcels', 'choice', false],
      ['Gift', 'boolean', false],
      ['Note', 'lines', false],
      ['Tags', 'json', false],
    ]);
  });

  it('answers with values of the types that were asked for, and leaves out what was left empty', () => {
    const entries = filled({ street: 'Main St 1', floor: '3', best_time: '', parcels: '1', tags: '["a"]' });
    expect(answerOf(fieldsOf(schema), entries)).toEqual({
      street: 'Main St 1',
      floor: 3,
      parcels: 2,
      gift: false,
      tags: ['a'],
    });
  });

  it('makes nothing of a schema that describes no object', () => {
    expect(fieldsOf({ type: 'string' })).toEqual([]);
    expect(fieldsOf({ properties: { a: true, b: null } })).toEqual([]);
  });
});
