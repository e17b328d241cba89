-- Grain: one partner of which a version came, went or was corrected. `touched_from_at` is the first moment of which it may
-- tell something else. Empty in a full refresh.

with reached as (

    {{ versions_changed('dim_partners', 'partner_id', ['kind', 'commission_rate']) }}

),

final as (

    select store_id, partner_id, min(touched_from_at) as touched_from_at from reached
    group by store_id, partner_id

)

select * from final
