"""HTTP and WebSockets. Parses, authorises, calls one flow or one view, answers.

A route is a few lines, in the file of `routes` that is named for what it is about; its router is in `routes.ROUTERS`:

    @router.post("/{lead_id}/reject", responses=refuses("lead_unknown", "lead_distributed"))
    def reject_one_lead(
        lead_id: Annotated[Uuid, Path()],
        asked: Rejection,                                      # a schemas.values.RequestModel
        reviewer: Annotated[Principal, needs(Permission.LEADS_APPROVE)],
        database: MarketplaceDatabase,
    ) -> RejectedLead:                                         # a schemas.values.ResponseModel
        '''Reject an unsold lead, and say why.'''
        return RejectedLead.model_validate(reject_lead(database, lead_id, asked.reason, reviewer.actor))

- `access` says who may call it, exactly once per route; `needs_own` for a provider's own rows, `needs(..., limit)` for
  what costs the database much. `schemas.files` is for answers that are too long to hold.
- `refuses` names the codes of the flow that it calls; `problem_codes` says what a code is over HTTP.
- What operators and providers are both shown has one schema, in `schemas`.
- Lists: `schemas.pagination.ByCursor` and `Page`, or `ByPage` and `NumberedPage` where the design says so;
  `schemas.by_sequence` for what is numbered by nature.
- What may be sent again: `idempotency`, by default every POST, whose database is then one transaction. What may have
  changed meanwhile: `conditional`.
- The document (`python3 dev.py reference`) follows from all this; a field whose example would be odd gives one.
"""
