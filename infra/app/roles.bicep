// What Lifeboat may do to machines: a role of its own, defined and assigned in one subscription. Nothing in it deletes, starts, stops or
// changes a machine or a disk, and nothing gives rights to others. No built-in role short of Contributor holds the restore point actions.
//
// Sources: [P] the action stands in Microsoft's list of resource provider operations (permissions reference); [R] the call it is for is in
// recordings of ARM traffic; [A] *assumed*, see the note. infra/README.md has the same table for people.

targetScope = 'subscription'

@description('Id of the deployment; part of the role\'s name.')
param deployment string

@description('Resource id of the identity that gets the role; the assignment is named after it.')
param identityId string

@description('Object id of the same identity.')
param principalId string

var actions = [
  // GET virtualMachines/{vm}: vmId, timeCreated, disks, managedBy. [P] [R]
  // Also the linked right: a collection names a machine as its source, and ARM checks that the caller may read it.
  'Microsoft.Compute/virtualMachines/read'
  // $expand=instanceView: is the guest agent ready, so that the point can be application-consistent? [P] [R]
  // That the expansion is checked under this action, and not under read alone, is [A]; it is harmless to hold.
  'Microsoft.Compute/virtualMachines/instanceView/read'
  // GET and PUT restorePointCollections/{c}; the list of its points comes with $expand. [P] [R]
  'Microsoft.Compute/restorePointCollections/read'
  'Microsoft.Compute/restorePointCollections/write'
  // GET, PUT and DELETE restorePoints/{p}; only ExpirySweep deletes. [P] [R]
  'Microsoft.Compute/restorePointCollections/restorePoints/read'
  'Microsoft.Compute/restorePointCollections/restorePoints/write'
  'Microsoft.Compute/restorePointCollections/restorePoints/delete'
  // GET and DELETE snapshots/{s} in the points' group, and their list. [P] [R]
  'Microsoft.Compute/snapshots/read'
  'Microsoft.Compute/snapshots/delete'
  // GET locks of the subscription and of the points' group: what is locked is not deleted, and what cannot be read counts as locked. [P]
  'Microsoft.Authorization/locks/read'
  // GET locations/{l}/operations/{id}: the status URL of a restore point's PUT (Azure-AsyncOperation). [P] [R]
  // The URL hangs under the subscription, not under a group, so the assignment cannot be narrower.
  'Microsoft.Compute/locations/operations/read'
  // GET subscriptions: is it Enabled? Without that answer a missing machine is unknown, not gone. [P]
  'Microsoft.Resources/subscriptions/read'
  // GET and PUT resourcegroups/lifeboat-points-<region>: points live outside the machine's group, or they would die with it.
  // [P]; the GET is [R]. Custom roles cannot name one group that does not exist yet, so this holds for the subscription.
  'Microsoft.Resources/subscriptions/resourceGroups/read'
  'Microsoft.Resources/subscriptions/resourceGroups/write'
  // GET and PATCH {scope}/providers/Microsoft.Resources/tags/default: a hold is a tag on a snapshot, or on a point's collection. The action
  // lets tags be written without the right to write the resource. [P]
  'Microsoft.Resources/tags/read'
  'Microsoft.Resources/tags/write'
  // POST Microsoft.ResourceGraph/resources: the sweep. [P] [R] A query returns only what the caller may read besides; whether this action is
  // checked too is [A].
  'Microsoft.ResourceGraph/resources/read'
  // [A] Reading or granting access to the disks (disks/read, disks/beginGetAccess/action) is not needed to make a restore point:
  // other products' published roles for restore points hold neither. If ARM answers LinkedAuthorizationFailed, its message names the
  // action; add it here, not a broader role.
]

resource role 'Microsoft.Authorization/roleDefinitions@2022-04-01' = {
  name: guid(subscription().id, deployment, 'lifeboat')
  properties: {
    roleName: 'Lifeboat ${deployment} (${subscription().subscriptionId})' // names are unique in the whole tenant
    description: 'Lets Lifeboat read machines and make restore points of them. Made by infra/app/roles.bicep.'
    type: 'CustomRole'
    assignableScopes: [subscription().id]
    permissions: [
      {
        actions: actions
        notActions: []
        dataActions: []
        notDataActions: []
      }
    ]
  }
}

resource assignment 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(role.id, identityId)
  properties: {
    roleDefinitionId: role.id
    principalId: principalId
    principalType: 'ServicePrincipal' // says that it may not be in the directory's copy yet, so that the assignment does not fail
  }
}

@description('Resource id of the role.')
output roleId string = role.id
