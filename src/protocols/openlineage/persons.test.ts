import fc from 'fast-check';
import { expect, test } from 'vitest';
import { withoutPersons, withoutSecrets } from './persons.ts';

const token = (value: string): string => `<${value}>`;

test('owners, user names of Spark and Airflow, and owner tags become tokens', () => {
  const event = {
    run: {
      runId: 'r',
      facets: {
        spark_applicationDetails: { userName: 'ada', appName: 'ada' },
        airflow: {
          dag: { owner: 'grace', owner_links: {} },
          dagRun: { triggering_user_name: 'alan', run_id: 'x' },
        },
        tags: {
          tags: [
            { key: 'owner', value: 'ada' },
            { key: 'tier', value: 'gold' },
          ],
        },
      },
    },
    job: {
      name: 'owner',
      facets: { ownership: { owners: [{ name: 'team:ml', type: 'OWNER' }, { name: '' }] } },
    },
    outputs: [
      {
        name: 'owner',
        facets: {
          ownership: { owners: [{ name: 'ada' }] },
          schema: { fields: [{ name: 'owner' }] },
        },
      },
    ],
  };
  expect(withoutPersons(event, token)).toEqual({
    run: {
      runId: 'r',
      facets: {
        spark_applicationDetails: { userName: '<ada>', appName: 'ada' },
        airflow: {
          dag: { owner: '<grace>', owner_links: {} },
          dagRun: { triggering_user_name: '<alan>', run_id: 'x' },
        },
        tags: {
          tags: [
            { key: 'owner', value: '<ada>' },
            { key: 'tier', value: 'gold' },
          ],
        },
      },
    },
    job: {
      name: 'owner',
      facets: { ownership: { owners: [{ name: '<team:ml>', type: 'OWNER' }, { name: '' }] } },
    },
    outputs: [
      {
        name: 'owner',
        facets: {
          ownership: { owners: [{ name: '<ada>' }] },
          schema: { fields: [{ name: 'owner' }] },
        },
      },
    ],
  });
  expect(event.job.facets.ownership.owners[0]?.name).toBe('team:ml');
});

test('secrets of environment and settings, and passwords in URLs, are masked', () => {
  const event = {
    run: {
      facets: {
        environmentVariables: {
          environmentVariables: [
            { name: 'AWS_SECRET_ACCESS_KEY', value: 's' },
            { name: 'GITHUB_TOKEN', value: 's' },
            { name: 'DB_PASSWORD', value: 's' },
            { name: 'REGION', value: 'eu' },
          ],
        },
        spark_properties: {
          properties: { 'spark.hadoop.fs.s3a.secret.key': 's', 'spark.app.name': 'a' },
        },
        executionParameters: {
          parameters: [
            { key: 'max_tokens', value: '512' },
            { key: 'api_key', value: 's' },
          ],
        },
        tags: { tags: [{ key: 'key', value: 'kept' }] },
      },
    },
    inputs: [{ namespace: 'postgres://ada:pw@db:5432', name: 't' }],
  };
  expect(withoutSecrets(event)).toEqual({
    run: {
      facets: {
        environmentVariables: {
          environmentVariables: [
            { name: 'AWS_SECRET_ACCESS_KEY', value: '***' },
            { name: 'GITHUB_TOKEN', value: '***' },
            { name: 'DB_PASSWORD', value: '***' },
            { name: 'REGION', value: 'eu' },
          ],
        },
        spark_properties: {
          properties: { 'spark.hadoop.fs.s3a.secret.key': '***', 'spark.app.name': 'a' },
        },
        executionParameters: {
          parameters: [
            { key: 'max_tokens', value: '512' },
            { key: 'api_key', value: '***' },
          ],
        },
        tags: { tags: [{ key: 'key', value: 'kept' }] },
      },
    },
    inputs: [{ namespace: 'postgres://***@db:5432', name: 't' }],
  });
});

test('an event without persons and secrets stays the same object, whatever JSON it is', () => {
  const plain = {
    run: { runId: 'r', facets: { x: { y: [1, { z: null }] } } },
    inputs: [{ facets: {} }],
    eventTime: 3,
  };
  expect(withoutPersons(plain, token)).toBe(plain);
  expect(withoutSecrets(plain)).toBe(plain);
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      expect(JSON.stringify(withoutPersons(value, (name) => name))).toBe(JSON.stringify(value));
      withoutSecrets(withoutSecrets(value));
    }),
  );
});

test('a key named __proto__ is kept as data', () => {
  const event = JSON.parse(
    '{"run":{"facets":{"a":{"__proto__":{"owner":"ada"},"userName":"ada"}}}}',
  );
  expect(JSON.stringify(withoutPersons(event, token))).toBe(
    '{"run":{"facets":{"a":{"__proto__":{"owner":"<ada>"},"userName":"<ada>"}}}}',
  );
});
