/**
 * Statements on D1, and the one place that makes them. Each is either a tenant's own, or openly of all tenants:
 * there is no third way to reach the records (test/unit/records/scope.test.ts).
 */
export interface Scope {
  /** A statement with its values bound. */
  statement(sql: string, ...values: unknown[]): D1PreparedStatement;
  /** All of them in one transaction, in order. */
  batch<Row = unknown>(statements: D1PreparedStatement[]): Promise<D1Result<Row>[]>;
}

/** The records of one tenant: `?1` is the tenant, and every statement must name it; `values` are `?2` and on. */
export function ofTenant(db: D1Database, tenant: string): Scope {
  return {
    statement(sql, ...values) {
      if (!/\?1(?!\d)/.test(sql)) throw new Error(`a statement forgets its tenant: ${sql}`);
      return db.prepare(sql).bind(tenant, ...values);
    },
    batch: (statements) => db.batch(statements),
  };
}

/** All records, for what comes before a tenant is known (a key by its hash) and for operators; `values` are `?1` and on. */
export function ofAllTenants(db: D1Database): Scope {
  return {
    statement: (sql, ...values) => db.prepare(sql).bind(...values),
    batch: (statements) => db.batch(statements),
  };
}
