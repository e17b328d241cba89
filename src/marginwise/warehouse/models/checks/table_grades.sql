-- Grain: one contract table, present or not; rows_in = rows_loaded (superseded versions included) + rows_quarantined.
-- A line that could not be read counts in every table its file group feeds, as the group's other rows do.
{{ config(schema='ops') }}

with

unreadable_lines as (
    {{ unreadable_lines_of_tables() }}
),

landed_rows as materialized (
    select table_name, row_count from {{ landed_rows() }} as counted
),

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
        cast(rows_in as bigint) as rows_in,
        cast(rows_loaded as bigint) as rows_loaded,
        cast(rows_superseded as bigint) as rows_superseded,
        cast(rows_quarantined as bigint) as rows_quarantined,
        cast(rows_warned as bigint) as rows_warned,
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
