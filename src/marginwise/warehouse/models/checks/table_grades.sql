-- Grain: one contract table, present or not; rows_in = rows_loaded (superseded versions included) + rows_quarantined.
{{ config(schema='ops') }}

with

counted as (
    {{ counts_of_all_tables() }}
),

rated as (
    select
        *,
        (rows_quarantined + rows_warned) * 1.0 / nullif(rows_in, 0) as bad_rate
    from counted
),

final as (
    select
        table_name,
        rows_in > 0 as is_present,
        is_required,
        rows_in,
        rows_loaded,
        rows_superseded,
        rows_quarantined,
        rows_warned,
        freshness_days,
        newest_at,
        case
            when bad_rate = 0 then 'A'
            when bad_rate <= 0.01 then 'B'
            when bad_rate <= 0.05 then 'C'
            when bad_rate > 0.05 then 'D'
        end as grade
    from rated
)

select * from final
