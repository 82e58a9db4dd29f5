-- The likeness of cases also by supplier, by product code and by the cause that another system stated.
drop function reporting.similar_nonconformities(uuid, timestamptz, integer, boolean, text);

create function reporting.similar_nonconformities(
  of_case uuid, known_at timestamptz default now(), count_max integer default 10, with_signature boolean default true,
  only_site text default null)
returns table (
  nonconformity_id uuid, number text, site text, title text, status text, opened_at timestamptz, points numeric,
  signature_points numeric, product_points numeric, process_points numeric, supplier_points numeric,
  cause_points numeric, word_points numeric, shared_causes text[], stated_causes text[], shared_words text[])
language sql stable security definer set search_path = pg_catalog, pg_temp as $$
  with asked as (
    select n.*, read_models.words_of(n.search) as words, read_models.any_word_of(n.search) as any_word,
      verified.codes, verified.codes || array_remove(array[n.stated_cause_code], null) as all_codes
    from read_models.nonconformity n
    cross join lateral (select read_models.cause_codes_of(n.id, known_at) as codes offset 0) verified
    where n.id = of_case
  ),
  -- Cases with the same cause are looked for from the cause, because no column of a case names it.
  -- What another system stated counts only where it is the same code: its top code tells where it comes from.
  with_cause as (
    select l.nonconformity_id as id, max(case when c.code = code.own then 20 else 8 end) as points,
      array_agg(distinct c.code) as codes
    from asked a cross join unnest(a.all_codes) as code (own)
    join read_models.cause c on split_part(c.code, '.', 1) = split_part(code.own, '.', 1)
      and (c.code = code.own or code.own = any(a.codes)) and c.status = 'verified' and c.decided_at <= known_at
    join read_models.root_cause_analysis r on r.id = c.root_cause_id
    join (
      select k.capa_id, k.nonconformity_id from read_models.nonconformity_capa k
      union select k.capa_id, k.nonconformity_id from read_models.capa_nonconformity k) l on l.capa_id = r.capa_id
    group by l.nonconformity_id
  ),
  -- The newest of each kind, each by its index, so that the answer takes as long among many cases as among few.
  by_parts as (
    (select n.id from asked a join read_models.nonconformity n on n.signature_id = a.signature_id
      where with_signature and n.opened_at < known_at order by n.opened_at desc limit 200)
    union
    (select n.id from asked a join read_models.nonconformity n on n.subject_characteristic = a.subject_characteristic
      where with_signature and n.opened_at < known_at order by n.opened_at desc limit 200)
    union
    (select n.id from asked a join read_models.nonconformity n on n.subject_defect_code = a.subject_defect_code
      where with_signature and n.opened_at < known_at order by n.opened_at desc limit 200)
    union
    (select n.id from asked a join read_models.nonconformity n on n.product = a.product and n.process = a.process
      where n.opened_at < known_at order by n.opened_at desc limit 200)
    union
    (select n.id from asked a join read_models.nonconformity n on n.product = a.product
      where n.opened_at < known_at order by n.opened_at desc limit 200)
    union
    (select n.id from asked a join read_models.nonconformity n on n.process = a.process
      where n.opened_at < known_at order by n.opened_at desc limit 200)
    union
    (select n.id from asked a join read_models.nonconformity n
        on n.supplier = a.supplier and n.product_code = a.product_code
      where n.opened_at < known_at order by n.opened_at desc limit 200)
    union
    (select n.id from asked a join read_models.nonconformity n on n.supplier = a.supplier
      where n.opened_at < known_at order by n.opened_at desc limit 200)
    union
    (select n.id from asked a join read_models.nonconformity n on n.product_code = a.product_code
      where n.opened_at < known_at order by n.opened_at desc limit 200)
    union
    (select n.id from asked a join read_models.nonconformity n on n.stated_cause_code = any(a.all_codes)
      where n.opened_at < known_at order by n.opened_at desc limit 200)
    union
    select w.id from with_cause w
  ),
  -- Words alone are worth little, so they are asked only where little else is like the case.
  candidate as (
    select p.id from by_parts p
    union
    (select n.id from asked a join read_models.nonconformity n on n.search @@ a.any_word
      where (select count(*) from by_parts) < 50 and n.opened_at < known_at order by n.opened_at desc limit 200)
  ),
  likely as (
    select n.id, n.site, n.title, n.status, n.opened_at, n.search,
      case
        when not with_signature then 0
        when n.signature_id = a.signature_id then 40
        when n.subject_characteristic = a.subject_characteristic or n.subject_defect_code = a.subject_defect_code
          then 20
        else 0 end as signature_points,
      case when n.product = a.product or n.product_code = a.product_code then 15 else 0 end as product_points,
      case when n.process = a.process then 15 else 0 end as process_points,
      case when n.supplier = a.supplier then 15 else 0 end as supplier_points,
      case when n.stated_cause_code = any(a.all_codes) then 20 else coalesce(w.points, 0) end as cause_points,
      coalesce(w.codes, '{}') || case when n.stated_cause_code = any(a.all_codes)
        and not n.stated_cause_code = any(coalesce(w.codes, '{}')) then array[n.stated_cause_code] else '{}' end
        as shared_causes,
      array_remove(array[n.stated_cause_code, a.stated_cause_code], null) as stated, a.words as own_words
    from candidate one
    join read_models.nonconformity n on n.id = one.id
    cross join asked a
    left join with_cause w on w.id = n.id
    where n.id <> a.id and n.opened_at < known_at and n.status not in ('rejected', 'withdrawn', 'merged')
      and (only_site is null or n.site = only_site)
  ),
  -- Words are compared only where the other parts do not decide already.
  found as (
    select * from likely l
    order by l.signature_points + l.product_points + l.process_points + l.supplier_points + l.cause_points desc,
      l.opened_at desc, l.id
    limit 100
  ),
  -- Once for each, because what they share is asked for in three places.
  compared as materialized (
    select f.*, coalesce((select array_agg(word order by word) from unnest(f.own_words) as word
      where word = any(theirs.words)), '{}') as shared_words, theirs.words as words
    from found f cross join lateral (select read_models.words_of(f.search) as words offset 0) theirs
  ),
  scored as (
    select c.*, round(10.0 * cardinality(c.shared_words)
      / greatest(cardinality(c.own_words) + cardinality(c.words) - cardinality(c.shared_words), 1), 2) as word_points
    from compared c
  )
  select s.id, (select x.number from read_models.nonconformity_number x where x.id = s.id), s.site, s.title, s.status,
    s.opened_at,
    s.signature_points + s.product_points + s.process_points + s.supplier_points + s.cause_points + s.word_points,
    s.signature_points::numeric, s.product_points::numeric, s.process_points::numeric, s.supplier_points::numeric,
    s.cause_points::numeric, s.word_points, s.shared_causes,
    array(select code from unnest(s.shared_causes) as code where code = any(s.stated)), s.shared_words
  from scored s
  order by 7 desc, s.opened_at desc, s.id
  limit count_max
$$;

-- Cases of other systems have no signature, so they are never repeated and are not tested.
create or replace function reporting.similarity_back_test(
  closed_from timestamptz, closed_to timestamptz, count_max integer default 10, only_site text default null)
returns table (
  nonconformity_id uuid, number text, closed_at timestamptz, repeat_count bigint, listed_count bigint,
  listed_without_signature_count bigint)
language sql stable security definer set search_path = pg_catalog, pg_temp as $$
  select n.id, (select x.number from read_models.nonconformity_number x where x.id = n.id), n.closed_at,
    count(r.id),
    count(r.id) filter (where n.id in (
      select s.nonconformity_id from reporting.similar_nonconformities(
        r.id, r.opened_at, count_max, true, only_site) s)),
    count(r.id) filter (where n.id in (
      select s.nonconformity_id from reporting.similar_nonconformities(
        r.id, r.opened_at, count_max, false, only_site) s))
  from read_models.nonconformity n
  left join read_models.nonconformity r on r.signature_id = n.signature_id and r.opened_at > n.closed_at
    and r.status not in ('rejected', 'withdrawn', 'merged')
  where n.closed_at >= closed_from and n.closed_at < closed_to
    and n.source_system is null and (only_site is null or n.site = only_site)
  group by n.id, n.closed_at
  order by n.closed_at, n.id
$$;

comment on function reporting.similar_nonconformities is
  'Cases like a case, by points: signature 40 (same characteristic or defect code elsewhere 20), product or product '
  'code 15, process 15, supplier 15, cause code 20 (verified causes below the same top code 8), words 10 times the '
  'shared part of all words. Stated causes are those of the shared ones that another system stated.';
