-- Grain: one customer of a partner or category (unit_kind, unit_id), ever: when the first purchase of it was, and
-- whether another day's purchase of the same unit followed within H days. Null where those days have not passed, or
-- where the first purchase lies within H days of the data's beginning and may be a repeat itself.
{{ config(materialized='kept', key=['store_id', 'subject_key'], touched='int_subjects_touched') }}
with periods as (

    select * from {{ ref('int_periods_set') }}

),

entries as (

    select * from {{ ref('int_assortment_entries_assigned') }}
    where order_key is not null and not is_cancelled and customer_key is not null

),

purchase_days as (

    select
        store_id,
        unit_kind,
        unit_id,
        subject_key,
        entry_date,
        min(entry_date) over (partition by store_id, unit_kind, unit_id, subject_key) as entered_date
    from entries
    group by store_id, unit_kind, unit_id, subject_key, entry_date

),

purchases_judged as (

    select
        store_id,
        unit_kind,
        unit_id,
        subject_key,
        entered_date,
        max(
            case
                when
                    entry_date > entered_date
                    and {{ days_between('entered_date', 'entry_date') }} <= {{ var('horizon_days') }}
                    then 1
                else 0
            end
        ) = 1 as has_repeated
    from purchase_days
    group by store_id, unit_kind, unit_id, subject_key, entered_date

),

final as (

    select
        purchases_judged.store_id,
        purchases_judged.unit_kind,
        purchases_judged.unit_id,
        purchases_judged.subject_key,
        purchases_judged.entered_date,
        case
            when
                purchases_judged.entered_date >= periods.censored_until_date
                and {{ days_between('purchases_judged.entered_date', 'periods.as_of_date') }}
                >= {{ var('horizon_days') }}
                then purchases_judged.has_repeated
        end as has_repeated
    from purchases_judged
    inner join periods on purchases_judged.store_id = periods.store_id

)

select * from final
