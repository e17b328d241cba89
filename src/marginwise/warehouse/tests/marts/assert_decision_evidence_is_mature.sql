-- Evidence of channels and campaigns is of new customers whose H days have passed, each once, and guests never repeat.
with evidence as (

    select * from {{ ref('mart_decision_evidence') }}
    where unit_kind in ('channel', 'campaign')

),

customers as (

    select * from {{ ref('int_customers_acquired') }}

)

select evidence.store_id, evidence.unit_kind, evidence.unit_id, evidence.subject_key
from evidence
left join customers on evidence.store_id = customers.store_id and evidence.customer_key = customers.customer_key
where
    evidence.customer_key is not null
    and (
        not coalesce(customers.is_mature, false)
        or coalesce(customers.is_left_censored, true)
        or evidence.has_repeated is null
    )
    or evidence.customer_key is null and (evidence.unit_id <> 'Guests' or evidence.has_repeated is not null)
