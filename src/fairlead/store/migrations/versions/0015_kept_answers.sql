-- Answers over HTTP are kept with their keys: rows written so far stay as they are.

comment on table idempotency_keys is
    'The result of each request, stored in the transaction of its effect: of a verb as it is, with nothing personal; of a whole request its answer, sealed where the server has FAIRLEAD_SECRET_KEYS, and nothing of a lead''s consumer.';
