import { mkdirSync } from "node:fs";
import { dirname } from "node:path";
import { DatabaseSync } from "node:sqlite";
import type { Hex } from "viem";
import type { JsonObject } from "../queue/types.ts";
import { type Intent, intentId, intentToJson } from "./intents.ts";

/**
 * planned: wanted, nothing signed. signed: the bytes are kept and may be on their way. broadcast: a server took them.
 * mined: the effect was read back. final: so deep that it cannot be undone. failed: the chain refused. superseded: the nonce went
 * to another transaction, or the effect came without ours.
 */
export type IntentState = "planned" | "signed" | "broadcast" | "mined" | "final" | "failed" | "superseded";

/** One try to bring an intent about. The entries of one `id` are its history; the newest counts. */
export type Entry = {
  seq: number;
  /** See `intentId`. */
  id: string;
  intent: JsonObject;
  state: IntentState;
  /** What a later act needs of this one: the scores and the head behind a sealed ballot. */
  content: JsonObject | undefined;
  nonce: number | undefined;
  /** Every signed form of the one transaction, oldest first; later ones pay more. */
  transactions: { hash: Hex; raw: Hex }[];
  block: { number: bigint; hash: Hex } | undefined;
  /** The effect as it was read back. */
  result: JsonObject | undefined;
  error: string | undefined;
};

export type SignParameters = { nonce: number; dataHash: Hex; hash: Hex; raw: Hex };
export type MarkDetails = {
  block?: { number: bigint; hash: Hex } | undefined;
  result?: JsonObject | undefined;
  error?: string | undefined;
};

/** What the sender wants and has signed, on disk before anybody else hears of it. */
export type Outbox = {
  plan(intent: Intent, content?: JsonObject | undefined): Entry;
  /** Keeps the first signed form with its nonce. Only then may the bytes go out. */
  sign(seq: number, parameters: SignParameters): Entry;
  /** Keeps a form that pays more. */
  replace(seq: number, transaction: { hash: Hex; raw: Hex }): Entry;
  mark(seq: number, state: IntentState, details?: MarkDetails): Entry;
  newest(id: string): Entry | undefined;
  /** Every try to seal a ballot in a round, newest first. */
  sealedBallots(task: bigint, round: number): Entry[];
  /** The entries in these states, lowest nonce first. */
  inState(...states: IntentState[]): Entry[];
  close(): void;
};

const SCHEMA = `
CREATE TABLE IF NOT EXISTS intents (
  seq INTEGER PRIMARY KEY,
  id TEXT NOT NULL,
  kind TEXT NOT NULL,
  task TEXT,
  round INTEGER,
  intent TEXT NOT NULL,
  state TEXT NOT NULL,
  content TEXT,
  nonce INTEGER,
  data_hash TEXT,
  block_number TEXT,
  block_hash TEXT,
  result TEXT,
  error TEXT,
  changed_at TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP
) STRICT;
CREATE INDEX IF NOT EXISTS intents_by_id ON intents (id, seq);
CREATE INDEX IF NOT EXISTS intents_by_state ON intents (state);
CREATE TABLE IF NOT EXISTS transactions (
  position INTEGER PRIMARY KEY,
  seq INTEGER NOT NULL REFERENCES intents (seq),
  hash TEXT NOT NULL UNIQUE,
  raw TEXT NOT NULL
) STRICT;
`;

/** Opens the outbox; what is written to it survives a crash of the process and of the machine. */
export function openOutbox(file: string): Outbox {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  const db = new DatabaseSync(file, { timeout: 10_000 });
  db.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;");
  db.exec(SCHEMA);

  const insert = db.prepare(
    "INSERT INTO intents (id, kind, task, round, intent, content, state) VALUES (?, ?, ?, ?, ?, ?, 'planned')",
  );
  const assign = db.prepare(
    "UPDATE intents SET state = 'signed', nonce = ?, data_hash = ?, changed_at = CURRENT_TIMESTAMP WHERE seq = ?",
  );
  const change = db.prepare(`
    UPDATE intents SET state = ?, block_number = coalesce(?, block_number), block_hash = coalesce(?, block_hash),
      result = coalesce(?, result), error = coalesce(?, error), changed_at = CURRENT_TIMESTAMP WHERE seq = ?`);
  const append = db.prepare("INSERT INTO transactions (seq, hash, raw) VALUES (?, ?, ?)");
  const bySeq = db.prepare("SELECT * FROM intents WHERE seq = ?");
  const byId = db.prepare("SELECT * FROM intents WHERE id = ? ORDER BY seq DESC LIMIT 1");
  const ballots = db.prepare(
    "SELECT * FROM intents WHERE kind = 'commitBallot' AND task = ? AND round = ? ORDER BY seq DESC",
  );
  const transactionsOf = db.prepare("SELECT hash, raw FROM transactions WHERE seq = ? ORDER BY position");

  const read = (row: Row): Entry => ({
    seq: row.seq,
    id: row.id,
    intent: JSON.parse(row.intent),
    state: row.state,
    content: parse(row.content),
    nonce: row.nonce ?? undefined,
    transactions: (transactionsOf.all(row.seq) as { hash: Hex; raw: Hex }[]).map(({ hash, raw }) => ({ hash, raw })),
    block:
      row.block_number === null || row.block_hash === null
        ? undefined
        : { number: BigInt(row.block_number), hash: row.block_hash },
    result: parse(row.result),
    error: row.error ?? undefined,
  });
  const get = (seq: number) => read(bySeq.get(seq) as Row);

  return {
    plan(intent, content) {
      const { task = null, round = null } = intent as { task?: bigint; round?: number };
      const { lastInsertRowid } = insert.run(
        intentId(intent),
        intent.kind,
        task === null ? null : String(task),
        round,
        JSON.stringify(intentToJson(intent)),
        content === undefined ? null : JSON.stringify(content),
      );
      return get(Number(lastInsertRowid));
    },
    sign(seq, { nonce, dataHash, hash, raw }) {
      db.exec("BEGIN IMMEDIATE");
      try {
        assign.run(nonce, dataHash, seq);
        append.run(seq, hash, raw);
        db.exec("COMMIT");
      } catch (error) {
        db.exec("ROLLBACK");
        throw error;
      }
      return get(seq);
    },
    replace(seq, { hash, raw }) {
      append.run(seq, hash, raw);
      return get(seq);
    },
    mark(seq, state, { block, result, error } = {}) {
      change.run(
        state,
        block === undefined ? null : String(block.number),
        block?.hash ?? null,
        result === undefined ? null : JSON.stringify(result),
        error ?? null,
        seq,
      );
      return get(seq);
    },
    newest(id) {
      const row = byId.get(id) as Row | undefined;
      return row === undefined ? undefined : read(row);
    },
    sealedBallots: (task, round) => (ballots.all(String(task), round) as Row[]).map(read),
    inState(...states) {
      const marks = states.map(() => "?").join(", ");
      const rows = db.prepare(`SELECT * FROM intents WHERE state IN (${marks}) ORDER BY nonce, seq`).all(...states);
      return (rows as Row[]).map(read);
    },
    close: () => db.close(),
  };
}

type Row = {
  seq: number;
  id: string;
  intent: string;
  state: IntentState;
  content: string | null;
  nonce: number | null;
  block_number: string | null;
  block_hash: Hex | null;
  result: string | null;
  error: string | null;
};

function parse(text: string | null): JsonObject | undefined {
  return text === null ? undefined : JSON.parse(text);
}
