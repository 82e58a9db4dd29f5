-- Where units are counted, a success run may judge instead of the comparison of rates.
alter table read_models.effectiveness_review
  add run_confidence double precision,
  add run_reliability double precision,
  add units_needed bigint,
  add reliability_lower double precision,
  add reliability_upper double precision;

create or replace view reporting.effectiveness_cycle as
select e.id as review_id, e.capa_id,
  (select x.number from read_models.capa_number x where x.id = e.capa_id) as capa_number,
  e.cycle, e.site, e.product, e.process, e.station, e.characteristic, e.defect_code, e.status, e.baseline_from,
  e.baseline_to, e.baseline_reason, e.expected_reduction, e.significance, e.window_days, e.exposure_unit,
  e.action_owners, e.plan_approved_by, e.locked_at, e.window_from, e.window_to, e.recurrences, e.evaluated_at,
  e.evaluated_by, e.early_on_recurrence, e.baseline_deviations, e.baseline_exposure, e.baseline_ids_hash,
  e.window_deviations, e.window_exposure, e.window_ids_hash, e.counted_from, e.counted_to,
  e.counted_through_position, e.definition_version, e.baseline_rate, e.window_rate, e.rate_ratio,
  e.rate_ratio_lower, e.rate_ratio_upper, e.p_value, e.proposed_verdict, e.verdict, e.reason_against_numbers,
  e.approved_at, e.approved_by, e.imported, e.revision, e.position, e.occurred_at, e.recorded_at, e.updated_at,
  e.run_confidence, e.run_reliability, e.units_needed, e.reliability_lower, e.reliability_upper
from read_models.effectiveness_review e;

comment on column reporting.effectiveness_cycle.run_confidence is
  'The confidence of the success run that judges; null where rates are compared.';
comment on column reporting.effectiveness_cycle.run_reliability is
  'The share of conforming units that the success run is to show; null where rates are compared.';
comment on column reporting.effectiveness_cycle.units_needed is
  'Units that would show it without a failure: ln(1 - confidence) / ln(reliability), rounded up.';
comment on column reporting.effectiveness_cycle.reliability_lower is
  'Lower one-sided limit of the share that conforms, at the confidence of the success run.';
comment on column reporting.effectiveness_cycle.reliability_upper is
  'Upper one-sided limit of the share that conforms, at the confidence of the success run.';
