-- Every total of the margin bridge is the one before it plus the changes between, and no landed row is lost.
with bridge as (

    select
        store_id, step_order, step_id, step_kind, row_count,
        coalesce(amount, 0) as amount,
        amount is null as is_missing,
        sum(case when step_kind = 'change' then coalesce(amount, 0) else 0 end)
            over (partition by store_id order by step_order) as running_change_amount
    from {{ ref('mart_margin_bridge') }}

),

totals as (

    select
        *,
        lag(amount) over so_far + running_change_amount - lag(running_change_amount) over so_far as expected_amount
    from bridge
    where step_kind = 'total'
    window so_far as (partition by store_id order by step_order)

),

kept as (

    select store_id, step_order from totals
    where step_id = 'kept'

),

landed as (

    select
        bridge.store_id,
        sum(case when bridge.step_id = 'raw_total' then bridge.row_count else -bridge.row_count end) as lost_row_count
    from bridge
    inner join kept on bridge.store_id = kept.store_id and bridge.step_order <= kept.step_order
    group by bridge.store_id

),

-- every landed row of order_items is an order line of its day, or is told by itself
landed_lines as (

    select store_id, count(*) as row_count from {{ ref('chk_order_items') }}
    group by store_id
    union all
    select store_id, -count(*) from {{ ref('chk_order_items') }}
    where not _is_current
    group by store_id
    union all
    select store_id, -sum(row_count) from {{ ref('int_line_days_classified') }}
    group by store_id

)

select store_id, step_id, amount, expected_amount from totals
where not is_missing and amount <> expected_amount
union all
select store_id, 'lost rows', lost_row_count, 0 from landed
where lost_row_count <> 0
union all
select store_id, 'lost lines', sum(row_count), 0 from landed_lines
group by store_id
having sum(row_count) <> 0
