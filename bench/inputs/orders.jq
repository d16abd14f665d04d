# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# orders.jq: what jq does with orders.json in the demo: join, group, sum and rewrite every order, as reports do.
(.customers | map({key: .id, value: .name}) | from_entries) as $names
| .orders
| map(. + {name: $names[.customer],
           total: ([.items[] | .price * .count] | add),
           titles: [.items[].title | ascii_upcase]})
| group_by(.ship.city)
| map({city: .[0].ship.city,
       orders: length,
       total: (map(.total) | add | floor),
       best: (max_by(.total) | {id, name, total: (.total | floor)}),
       skus: ([.[].items[].sku] | unique | length),
       lines: map("\(.date) \(.name): \(.titles | join(", "))")})
