import { invalidParameter, pythonText } from '../errors.ts';

/**
 * Reviewers as clients name them. They are brought into one form before the door puts tokens in their
 * place. Source: mlflow/genai/review_queues/validation.py.
 */
const userCharactersMax = 250;
const usersMax = 10;

/** @throws invalid_message when it is empty or too long. */
export function checkText(value: string, field: string, charactersMax: number): string {
  if (value === '')
    throw invalidParameter(`\`${field}\` must be a non-empty string; got ${pythonText(value)}.`);
  if (value.length <= charactersMax) return value;
  throw invalidParameter(
    `\`${field}\` must be at most ${charactersMax} characters; got ${value.length}.`,
  );
}

/** Names of persons are told apart without their case. */
export const normalizeUser = (user: string): string => user.trim().toLowerCase();

/** @throws invalid_message for more reviewers than one queue may have. */
export function readUsers(users: readonly string[]): string[] {
  const read = [
    ...new Set(users.map((user) => checkText(normalizeUser(user), 'user', userCharactersMax))),
  ];
  if (read.length <= usersMax) return read;
  throw invalidParameter(
    `A review queue can have at most ${usersMax} assigned users; got ${read.length}.`,
  );
}

export const readOwner = (owner: string): string =>
  checkText(owner.trim(), 'new_owner', userCharactersMax);

export const readCompletedBy = (user: string): string => {
  const read = normalizeUser(user);
  return read === '' ? read : checkText(read, 'completed_by', userCharactersMax);
};
